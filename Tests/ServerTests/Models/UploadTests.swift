import Documents
import Foundation
import Server
import ServingFixtures
import Testing

@Suite("Uploads in pieces")
struct UploadTests {
    private func begin(_ server: TestServer, _ json: String) async throws -> TestServer.Answer {
        try await server.sendJSON("POST", "/v1/models/uploads", json)
    }

    private func send(
        _ server: TestServer, _ id: String, _ data: Data, at offset: String, type: String = "application/partial-upload"
    ) async throws -> TestServer.Answer {
        try await server.send(
            "PATCH", "/v1/models/uploads/\(id)", body: data, type: type, headers: ["Upload-Offset": offset])
    }

    @Test("pieces that begin where the last one ended make a model; others are refused and change nothing")
    func pieces() async throws {
        try await TestServer.run { server in
            let file = try await TinyModel.file(seed: 1)
            let begun = try await begin(server, #"{"bytes": \#(file.data.count), "model": "\#(file.model)"}"#)
            let id = try #require(begun.json["id"]?.string)
            #expect(begun.status == 201 && begun.headers["location"] == "/v1/models/uploads/\(id)")
            let first = try await send(server, id, file.data.prefix(1000), at: "0")
            #expect(first.status == 200 && first.json["offset"]?.integer == 1000)
            for wrong in ["0", "999", "1001"] {
                let answer = try await send(server, id, file.data.dropFirst(1000), at: wrong)
                #expect(answer.status == 409 && answer.problem == "upload-offset", "\(wrong)")
                #expect(answer.json["detail"]?.string?.contains("at byte 1000") == true)
            }
            let long = try await send(server, id, file.data, at: "1000")
            #expect(long.status == 413)
            let told = try await server.send("HEAD", "/v1/models/uploads/\(id)")
            #expect(told.headers["upload-length"] == "\(file.data.count)" && told.headers["upload-complete"] == "?0")
            let offset = try #require(told.headers["upload-offset"].flatMap { Int($0) })
            let whole = try await send(server, id, file.data.dropFirst(offset), at: "\(offset)")
            #expect(whole.status == 201 && whole.json["model"]?.string == file.model, "\(whole.json)")
            #expect(try await server.send("GET", "/v1/models/uploads/\(id)").problem == "upload-not-found")
            #expect(try await server.send("GET", "/v1/models/uploads").json["items"]?.array?.isEmpty == true)
        }
    }

    @Test("what has come when a client leaves need not come again, and one request at a time goes on with it")
    func cut() async throws {
        try await TestServer.run { server in
            let id = try #require(try await begin(server, #"{"bytes": 3000000}"#).json["id"]?.string)
            let head =
                "PATCH /v1/models/uploads/\(id) HTTP/1.1\r\nHost: a\r\nUpload-Offset: 0\r\n"
                + "Content-Type: application/partial-upload\r\nContent-Length: 3000000\r\n\r\n"
            func reach(_ count: Int) async throws {
                while try await server.send("GET", "/v1/models/uploads/\(id)").json["offset"]?.integer ?? .max < count {
                }
            }
            let leaving = RawConnection(server.port)
            await leaving.send(Data(head.utf8) + Data(count: 2_500_000))
            try await reach(1)
            #expect(try await send(server, id, Data(), at: "0").problem == "upload-busy")
            #expect(try await server.send("DELETE", "/v1/models/uploads/\(id)").problem == "upload-busy")
            leaving.leave()
            try await reach(2_500_000)
            var next = try await send(server, id, Data(count: 9), at: "2500000")
            while next.problem == "upload-busy" { next = try await send(server, id, Data(count: 9), at: "2500000") }
            #expect(next.status == 200 && next.json["offset"]?.integer == 2_500_009)
        }
    }

    @Test("a whole that is no model, or another than was said, is refused and gone")
    func refused() async throws {
        try await TestServer.run { server in
            let (file, other) = (try await TinyModel.file(seed: 1), try await TinyModel.file(seed: 2))
            for (data, model) in [(Data("{}".utf8), file.model), (other.data, file.model)] {
                let begun = try await begin(server, #"{"bytes": \#(data.count), "model": "\#(model)"}"#)
                let id = try #require(begun.json["id"]?.string)
                let answer = try await send(server, id, data, at: "0")
                #expect(answer.status == 422 && answer.problem == "model-refused", "\(answer.json)")
                #expect(try await server.send("GET", "/v1/models/uploads/\(id)").status == 404)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: server.models) == [])
        }
    }

    @Test("beginnings that make no sense, are too long or too many are refused")
    func limits() async throws {
        try await TestServer.run({ $0.limits.checkpointBytes = 1 << 50 }) { server in
            for json in [#"{}"#, #"{"bytes": 0}"#, #"{"bytes": "9"}"#, #"{"bytes": 9, "model": "x"}"#] {
                #expect(try await begin(server, json).problem == "invalid-field", "\(json)")
            }
            #expect(try await begin(server, #"{"bytes": \#(1 << 51)}"#).problem == "body-too-large")
            #expect(try await begin(server, #"{"bytes": \#(1 << 50)}"#).problem == "storage-full")
            var ids: [String] = []
            for _ in 0..<16 { ids.append(try #require(try await begin(server, #"{"bytes": 9}"#).json["id"]?.string)) }
            let more = try await begin(server, #"{"bytes": 9}"#)
            #expect(more.status == 409 && more.problem == "too-many-uploads")
            #expect(try await server.send("GET", "/v1/models/uploads").json["items"]?.array?.count == 16)
            #expect(try await server.send("DELETE", "/v1/models/uploads/\(ids[0])").status == 204)
            #expect(try await server.send("DELETE", "/v1/models/uploads/\(ids[0])").status == 404)
            #expect(try await begin(server, #"{"bytes": 9}"#).status == 201)
            for wrong in ["", "-1", "x"] {
                #expect(try await send(server, ids[1], Data(), at: wrong).problem == "invalid-field", "\(wrong)")
            }
            #expect(try await send(server, ids[1], Data(), at: "0", type: "application/json").status == 415)
            // A name that leads elsewhere.
            #expect(try await server.send("DELETE", "/v1/models/uploads/..%2F..%2Fx").status == 404)
        }
    }
}
