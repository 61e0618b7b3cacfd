import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Examples of the contract")
struct ContractExamplesTests {
    private static let examples = (try? Contract.shared.get().examples.map(\.example)) ?? []

    @Test("every content type of every body has an example, and its schema admits it")
    func admitted() throws {
        let contract = try Contract.shared.get()
        #expect(contract.examples.count > 30)
        for (example, schema) in contract.examples {
            #expect(example.value != .null, "\(example.testDescription) is missing")
            guard let schema else { continue }
            let errors = JSONSchema(document: contract.document).errors(example.value, schema)
            #expect(errors.isEmpty, "\(example.testDescription)")
        }
    }

    @Test(
        "a server with a gallery does what an example asks for, and answers as the contract says", arguments: examples)
    func answered(_ example: ContractExample) async throws {
        // The contract's vectors have two elements.
        let secret = TemporarySecret()
        try await TestServer.run({ $0.webhooks.secretFile = secret.path }, encoder: BrightnessEncoder(dimension: 2)) {
            server in
            let prepared = try await PreparedServer(server)
            let path = example.path.replacing("{gallery}", with: "parking").replacing("{identity}", with: "van-17")
                .replacing("{sighting}", with: prepared.sighting).replacing("{upload}", with: prepared.upload)
            let (type, data) = try example.body(sighting: prepared.sighting, files: prepared.files)
            let answer = try await prepared.send(example.method, path, data, type, example.headers)
            #expect((200..<300).contains(answer.status), "\(answer.status) \(answer.json)")
            guard answer.status == 202, let job = answer.json["id"]?.string else { return }
            let ended = try await prepared.ended(job)
            // Among three sightings a calibration finds too little; what was imported must all be there.
            if ended["kind"]?.string == "import" { #expect(ended["result"]?["failed"] == .integer(0), "\(ended)") }
        }
    }
}

/// A server with an admin's key and the gallery that the contract's examples are about.
private struct PreparedServer {
    let server: TestServer
    let key: String
    /// One of van-17.
    let sighting: String
    /// Of a model.
    let upload: String
    /// By the names that examples have for them.
    let files: [String: Data]

    init(_ server: TestServer) async throws {
        self.server = server
        let made = try await server.sendJSON("POST", "/v1/keys", #"{"name": "tests", "role": "admin"}"#)
        key = try #require(made.json["token"]?.string)
        let headers = ["Authorization": "Bearer \(key)"]
        func sent(_ method: String, _ path: String, _ json: String) async throws -> TestServer.Answer {
            let answer = try await server.send(
                method, "/v1/galleries\(path)", body: Data(json.utf8), type: "application/json", headers: headers)
            try #require((200..<300).contains(answer.status), "\(answer.json)")
            return answer
        }
        _ = try await sent("POST", "", #"{"name": "parking"}"#)
        for name in ["van-17", "unknown-4", "unknown-9"] {
            _ = try await sent("POST", "/parking/identities/\(name)/sightings", #"{"vectors": {"rgb": [0.6, 0.7]}}"#)
        }
        let first = try await server.send(
            "GET", "/v1/galleries/parking/identities/van-17/sightings", headers: headers)
        sighting = try #require(first.json["items"]?[0]?["id"]?.string)
        _ = try await sent(
            "PUT", "/parking/thresholds", #"{"thresholds": [{"modalities": ["rgb"], "threshold": 0.6}]}"#)
        let model = try await TinyModel.file(seed: 1).data
        let begun = try await server.send(
            "POST", "/v1/models/uploads", body: Data(#"{"bytes": \#(model.count)}"#.utf8), type: "application/json",
            headers: headers)
        upload = try #require(begun.json["id"]?.string)
        let archive = try await server.send(
            "GET", "/v1/galleries/parking/export",
            headers: headers.merging(["Accept": "application/x-tar"]) { $1 })
        files = [
            "@rgb.jpg": try picture(3), "@nir.jpg": try picture(103), "@tir.jpg": try picture(203),
            "@model.safetensors": model, "@sightings.tar": archive.data,
        ]
    }

    func send(
        _ method: String, _ path: String, _ body: Data? = nil, _ type: String? = nil, _ headers: [String: String] = [:]
    ) async throws -> TestServer.Answer {
        let headers = headers.merging(["Authorization": "Bearer \(key)"]) { $1 }
        return try await server.send(method, path, body: body, type: type, headers: headers)
    }

    /// A job's record once it has ended.
    func ended(_ job: String) async throws -> JSONValue {
        while true {
            let json = try await send("GET", "/v1/jobs/\(job)").json
            if !["running", "waiting"].contains(json["state"]?.string) { return json }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
