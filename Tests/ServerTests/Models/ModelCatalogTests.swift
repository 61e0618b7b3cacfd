import Foundation
import Server
import ServingFixtures
import Testing

@Suite("Models that are published")
struct ModelCatalogTests {
    @Test("an upload is verified, listed with what it is, and can be deleted; a second one changes nothing")
    func upload() async throws {
        try await TestServer.run { server in
            let file = try await TinyModel.file(seed: 1)
            let first = try await server.upload(file.data)
            #expect(first.status == 201 && first.headers["location"] == "/v1/models/\(file.model)")
            #expect(try await server.upload(file.data).status == 200)
            let items = try #require(try await server.send("GET", "/v1/models").json["items"]?.array)
            #expect(items.count == 1 && items[0]["model"]?.string == file.model)
            #expect(items[0]["system"]?.string == "unicat" && items[0]["dimension"]?.integer == 48)
            #expect(items[0]["self_tested"]?.bool == true && items[0]["active"]?.bool == false)
            #expect(items[0]["bytes"]?.integer == file.data.count)
            #expect(try await server.send("DELETE", "/v1/models/\(file.model)").status == 204)
            let gone = try await server.send("GET", "/v1/models/\(file.model)")
            #expect(gone.status == 404 && gone.problem == "model-not-found")
        }
    }

    @Test("what is not a model, or answers its self-test otherwise, is refused and leaves nothing")
    func refused() async throws {
        try await TestServer.run { server in
            let file = try await TinyModel.file(seed: 1)
            let swapped = try await TinyModel.file(seed: 1, test: 2)
            for data in [Data("{}".utf8), file.data.dropLast(9), swapped.data] {
                let answer = try await server.upload(data)
                #expect(answer.status == 422 && answer.problem == "model-refused", "\(answer.json)")
            }
            #expect(try await server.upload(swapped.data).json["detail"]?.string?.contains("self-test") == true)
            let type = try await server.send("POST", "/v1/models", body: file.data, type: "application/json")
            #expect(type.status == 415)
            #expect(try await server.send("GET", "/v1/models").json["items"]?.array?.isEmpty == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: server.models) == [])
        }
    }

    @Test("the list comes in pages, each model once, also when one is deleted in between")
    func pages() async throws {
        try await TestServer.run { server in
            var models: [String] = []
            for seed in 1...4 { models.append(try await server.publish(seed: UInt64(seed))) }
            models.sort()
            var (found, path) = ([String](), "/v1/models?limit=2")
            while true {
                let page = try await server.send("GET", path).json
                found += (page["items"]?.array ?? []).compactMap { $0["model"]?.string }
                guard let next = page["next"]?.string else {
                    #expect(page["next"] == .null)
                    break
                }
                #expect(page["items"]?.array?.count == 2)
                // The one that the cursor may stand on.
                #expect(try await server.send("DELETE", "/v1/models/\(models[1])").status == 204)
                path = "/v1/models?limit=2&cursor=\(next)"
            }
            #expect(found == models)
            for query in ["limit=0", "limit=1001", "limit=x", "cursor=nonsense"] {
                let answer = try await server.send("GET", "/v1/models?\(query)")
                #expect(answer.status == 400 && answer.problem == "invalid-field", "\(query)")
            }
        }
    }

    @Test("a model that would not fit into memory is refused before it is read, changes nothing, and is logged")
    func memory() async throws {
        let log = TestLog()
        try await TestServer.run({ $0.memoryBytes = 1 << 20 }, log: log) { server in
            let file = try await TinyModel.file(seed: 1)
            let answer = try await server.upload(file.data)
            #expect(answer.status == 507 && answer.problem == "insufficient-memory")
            let detail = try #require(answer.json["detail"]?.string)
            #expect(detail.contains("expected at most 1048576 bytes"), "\(detail)")
            #expect(log.lines.count { $0.hasPrefix("error no room") && $0.contains("1048576 bytes") } == 1)
            #expect(try await server.send("GET", "/v1/models").json["items"]?.array?.isEmpty == true)
            #expect(try FileManager.default.contentsOfDirectory(atPath: server.models) == [])
        }
    }

    @Test("a gallery does not grow beyond the process's memory; what there is, is answered and can be erased")
    func gallery() async throws {
        try await TestServer.run({ $0.memoryBytes = 1 << 20 }) { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let answer = try await server.sendForm("/v1/galleries/g/identities/a/sightings", ["rgb": picture(1)])
            #expect(answer.status == 507 && answer.problem == "insufficient-memory")
            #expect(answer.json["detail"]?.string?.contains("raise memory_bytes") == true)
            let line = #"{"identity": "a", "vectors": {"rgb": [1, 2]}}"#
            let job = try await server.send(
                "POST", "/v1/galleries/g/imports", body: Data(line.utf8), type: "application/x-ndjson")
            let ended = try await server.ended(try #require(job.json["id"]?.string))
            #expect(ended["state"]?.string == "failed" && ended["reason"]?.string?.contains("memory_bytes") == true)
            #expect(try await server.sendForm("/v1/galleries/g/queries", ["rgb": picture(1)]).status == 200)
            #expect(try await server.send("DELETE", "/v1/galleries/g").status == 204)
        }
    }

    @Test("a checkpoint has a limit of its own, beside that of other bodies")
    func limits() async throws {
        let configure = { (configuration: inout ServerConfiguration) in
            configuration.limits.bodyBytes = 100
            configuration.limits.checkpointBytes = 200_000
        }
        try await TestServer.run(configure) { server in
            let file = try await TinyModel.file(seed: 1)
            #expect(try await server.upload(file.data).status == 201)
            #expect(try await server.upload(Data(count: 200_001)).status == 413)
            let long = try await server.sendJSON("POST", "/v1/galleries", String(repeating: " ", count: 101))
            #expect(long.status == 413)
        }
    }

    @Test("a file put into the folder is found, one still being written is found once it is whole")
    func watched() async throws {
        try await TestServer.run { server in
            let file = try await TinyModel.file(seed: 1)
            let url = URL(fileURLWithPath: server.models).appendingPathComponent("mine.safetensors")
            try file.data.dropLast(100).write(to: url)
            try await Task.sleep(for: .seconds(3))
            #expect(try await server.send("GET", "/v1/models").json["items"]?.array?.isEmpty == true)
            try file.data.write(to: url)
            while try await server.send("GET", "/v1/models").json["items"]?.array?.isEmpty == true {
                try await Task.sleep(for: .milliseconds(100))
            }
            #expect(try await server.send("GET", "/v1/models/\(file.model)").status == 200)
        }
    }
}
