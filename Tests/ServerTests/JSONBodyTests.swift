import Foundation
import ServingFixtures
import Testing

@Suite("JSON bodies")
struct JSONBodyTests {
    @Test("the same contents as a form and as JSON are the same request")
    func framing() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let path = "/v1/galleries/g/identities/a/sightings"
            let key = ["Idempotency-Key": "k"]
            let image = try picture(1)
            let form = try await server.sendForm(path, ["rgb": image], options: #"{"camera": "c"}"#, headers: key)
            // Slashes may be escaped, as Foundation's encoder does.
            let text = image.base64EncodedString().replacing("/", with: "\\/")
            let json = try await server.send(
                "POST", path, body: Data(#"{"camera": "c", "images": {"rgb": "\#(text)"}}"#.utf8),
                type: "application/json", headers: key)
            #expect(form.status == 201 && json.status == 201)
            #expect(form.json["id"] != nil && form.json["id"] == json.json["id"])
        }
    }

    @Test("millions of values, and what is no image, are refused by their kind of problem")
    func refused() async throws {
        try await TestServer.run { server in
            let zeros = #"{"images": {}, "vector": [0"# + String(repeating: ",0", count: 4 << 20) + "]}"
            for path in ["/v1/embeddings", "/v1/galleries"] {
                let answer = try await server.sendJSON("POST", path, zeros)
                #expect(answer.status == 400 && answer.problem == "malformed-body", "\(answer.json)")
            }
            for (body, problem, field) in [
                (#"{"images": {"rgb": 7}}"#, "invalid-field", "images.rgb"),
                (#"{"images": [1]}"#, "invalid-field", "images"),
                (#"{"images": {"depth": "AA=="}}"#, "unknown-field", "images.depth"),
                (#"{"image": {}}"#, "unknown-field", "image"), ("[]", "invalid-field", "body"),
            ] {
                let answer = try await server.sendJSON("POST", "/v1/embeddings", body)
                #expect(answer.status == 400 && answer.problem == problem, "\(answer.json)")
                #expect(answer.json["field"]?.string == field, "\(answer.json)")
            }
        }
    }
}
