import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Batches of queries")
struct BatchQueryTests {
    private func enrol(_ server: TestServer) async throws {
        _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        for car in 0..<8 {
            let answer = try await server.sendForm(
                "/v1/galleries/g/identities/car-\(car)/sightings", ["rgb": picture(car), "tir": picture(car + 50)])
            #expect(answer.status == 201)
        }
    }

    @Test("Each query of a batch has the answer that it has alone, by form and by JSON")
    func equal() async throws {
        try await TestServer.run { server in
            try await enrol(server)
            var files: [String: Data] = [:]
            for query in 0..<7 {
                files["\(query).rgb"] = try picture(query)
                if query % 2 == 0 { files["\(query).tir"] = try picture(query + 50) }
            }
            let form = try await server.sendForm(
                "/v1/galleries/g/queries/batch", files, options: #"{"limit": 3}"#)
            let items = (0..<7).map { query in
                let images = ["rgb", "tir"].compactMap { name in
                    files["\(query).\(name)"].map { "\"\(name)\": \"\($0.base64EncodedString())\"" }
                }
                return "{\"images\": {\(images.joined(separator: ", "))}}"
            }
            let json = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries/batch",
                "{\"limit\": 3, \"queries\": [\(items.joined(separator: ", "))]}")
            #expect(form.json["results"]?.array?.count == 7)
            for query in 0..<7 {
                let own = files.filter { $0.key.hasPrefix("\(query).") }.map { (String($0.key.dropFirst(2)), $0.value) }
                let alone = try await server.sendForm(
                    "/v1/galleries/g/queries", Dictionary(uniqueKeysWithValues: own), options: #"{"limit": 3}"#)
                #expect(alone.json["matches"]?[0]?["identity"]?.string == "car-\(query)")
                for batch in [form, json] {
                    let result = batch.json["results"]?[query]
                    #expect(result?["matches"] == alone.json["matches"])
                    #expect(result?["modalities"] == alone.json["modalities"])
                }
            }
        }
    }

    @Test("What is wrong with one query is said in its place, and the others are answered")
    func broken() async throws {
        try await TestServer.run { server in
            try await enrol(server)
            let files = try ["0.rgb": picture(2), "1.rgb": Data("no image".utf8), "2.rgb": picture(4)]
            let answer = try await server.sendForm("/v1/galleries/g/queries/batch", files)
            #expect(answer.json["results"]?[0]?["matches"]?[0]?["identity"]?.string == "car-2")
            #expect(answer.json["results"]?[1]?["problem"]?["modality"]?.string == "rgb")
            #expect(answer.json["results"]?[1]?["problem"]?["status"]?.integer == 422)
            #expect(answer.json["results"]?[2]?["matches"]?[0]?["identity"]?.string == "car-4")
            let vectors = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries/batch",
                #"{"queries": [{"vectors": {"rgb": [1, 2]}}, {"vector": [1], "model": "other"}, {"text": "van"}]}"#)
            let types = vectors.json["results"]?.array?.map { $0["problem"]?["type"]?.string ?? "none" }
            #expect(types?.count == 3 && types?.contains("none") == false, "\(String(describing: types))")
        }
    }

    @Test(
        "A batch that is none is refused whole",
        arguments: [
            (#"{"queries": []}"#, 400), (#"{}"#, 400), (#"{"queries": [{"rgb": 1}]}"#, 400),
            (#"{"queries": [{"vectors": {"rgb": [1]}, "text": "a"}]}"#, 400), (#"{"queries": {}}"#, 400),
            ("{\"queries\": [\(Array(repeating: "{\"text\": \"a\"}", count: 65).joined(separator: ","))]}", 400),
        ])
    func refused(body: String, status: Int) async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let answer = try await server.sendJSON("POST", "/v1/galleries/g/queries/batch", body)
            #expect(answer.status == status)
            #expect(answer.json["field"]?.string?.hasPrefix("queries") == true, "\(answer.json)")
        }
    }

    @Test("Numbers of a form begin at 0 and have no gap")
    func numbers() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for name in ["1.rgb", "64.rgb", "00.rgb", "-1.rgb", "0.uv", "rgb"] {
                let answer = try await server.sendForm("/v1/galleries/g/queries/batch", [name: picture(1)])
                #expect(answer.status == 400, "\(name)")
            }
            let nowhere = try await server.sendForm("/v1/galleries/h/queries/batch", ["0.rgb": picture(1)])
            #expect(nowhere.status == 404)
        }
    }
}
