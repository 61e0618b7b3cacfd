import Foundation
import Inference
import Server
import ServingFixtures
import Testing

@Suite("Bad requests")
struct BadRequestTests {
    @Test("each has its status and a problem that says what was expected; nothing is stored, the server lives on")
    func refused() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let path = "/v1/galleries/g/identities/a/sightings"
            let good = try picture(1)
            let cases: [(files: [String: Data], options: String?, status: Int, problem: String)] = [
                ([:], nil, 400, "no-image"),
                (["rgb": Data()], nil, 422, "image-undecodable"),
                (["rgb": good.prefix(200)], nil, 422, "image-undecodable"),
                (["rgb": Data("<svg/>".utf8)], nil, 422, "image-undecodable"),
                (["rgb": good, "depth": good], nil, 400, "unknown-field"),
                (["rgb": good], "{", 400, "malformed-body"),
                (["rgb": good], #"{"camera": 7}"#, 400, "invalid-field"),
                (["rgb": good], #"{"captured_at": "yesterday"}"#, 400, "invalid-field"),
                (["rgb": good], #"{"metadata": {"a": [1]}}"#, 400, "invalid-field"),
                (["rgb": good], #"{"colour": "red"}"#, 400, "unknown-field"),
            ]
            for (index, bad) in cases.enumerated() {
                let answer = try await server.sendForm(path, bad.files, options: bad.options)
                #expect(answer.status == bad.status && answer.problem == bad.problem, "case \(index): \(answer.json)")
                #expect(answer.headers["content-type"] == "application/problem+json")
                #expect(answer.json["instance"]?.string == answer.headers["x-request-id"])
            }
            #expect(try await server.send("GET", "/v1/galleries/g").json["identities"]?.integer == 0)
            #expect(try await server.sendForm(path, ["rgb": good]).status == 201)
        }
    }

    @Test("paths, methods, types and options that do not exist")
    func framing() async throws {
        try await TestServer.run { server in
            #expect(try await server.send("GET", "/v2").problem == "no-such-path")
            let wrongMethod = try await server.send("PUT", "/v1/galleries")
            #expect(wrongMethod.status == 405 && wrongMethod.headers["allow"] == "GET, HEAD, POST")
            let unknown = try await server.sendForm("/v1/galleries/none/queries", ["rgb": picture(1)])
            #expect(unknown.status == 404 && unknown.problem == "gallery-not-found")
            let type = try await server.send("POST", "/v1/embeddings", body: Data("x".utf8), type: "text/plain")
            #expect(type.status == 415)
            #expect(try await server.sendJSON("POST", "/v1/embeddings", #"{"images": {"rgb": "%"}}"#).status == 400)
            #expect(try await server.sendJSON("POST", "/v1/embeddings", #"{"images": {"uv": "AA=="}}"#).status == 400)
            #expect(try await server.sendJSON("POST", "/v1/galleries", #"{"name": "a/b"}"#).status == 400)
            #expect(try await server.send("GET", "/v1/galleries?limit=0").problem == "invalid-field")
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            #expect(try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#).problem == "gallery-exists")
            let limit = try await server.sendForm(
                "/v1/galleries/g/queries", ["rgb": picture(1)], options: #"{"limit": 5000}"#)
            #expect(limit.json["field"]?.string == "options.limit")
        }
    }

    @Test("filters that say nothing, or what no filter says, are refused by name")
    func filters() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let cases = [
                (#"{"metadata": {"lane": null}}"#, "filter.metadata.lane"), (#"{"metadata": 1}"#, "filter.metadata"),
                (#"{"metadata": {"lane": {}}}"#, "metadata.lane"), (#"{"metadata": {"lane": []}}"#, "metadata.lane"),
                (#"{"metadata": {"lane": {"gt": 1, "gte": 1}}}"#, "filter.metadata.lane.gte"),
                (#"{"metadata": {"lane": {"gt": [1]}}}"#, "filter.metadata.lane.gt"),
                (#"{"metadata": {"lane": {"above": 1}}}"#, "filter.metadata.lane.above"),
                (#"{"exclude_metadata": {"lane": {"gt": 1, "lt": "a"}}}"#, "exclude_metadata.lane"),
                (#"{"label_prefix": ""}"#, "label_prefix"),
                (#"{"exclude_identities": "a"}"#, "filter.exclude_identities"),
            ]
            for (filter, field) in cases {
                let answer = try await server.sendJSON(
                    "POST", "/v1/galleries/g/queries", "{\"vector\": [1, 0], \"filter\": \(filter)}")
                #expect(answer.status == 400 && answer.json["field"]?.string == field, "\(filter): \(answer.json)")
            }
            let good = #"{"metadata": {"a": [1, "x", true], "b": {"gte": 1, "lt": 2}}, "label_prefix": "B"}"#
            let answer = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries", "{\"vector\": [1, 0], \"filter\": \(good)}")
            #expect(answer.status == 200, "\(answer.json)")
        }
    }

    @Test("limits on bodies, images and requests in flight have their own answers")
    func limits() async throws {
        let configure = { (configuration: inout ServerConfiguration) in
            configuration.limits.bodyBytes = 100_000
            configuration.limits.imagePixels = 2000
            configuration.limits.requestsInFlight = 2
        }
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let (opening, open) = AsyncStream.makeStream(of: Void.self)
        let encoder = BrightnessEncoder {
            arrived.yield()
            for await _ in opening {}
        }
        try await TestServer.run(configure, encoder: encoder) { server in
            let large = try await server.sendForm("/v1/embeddings", ["rgb": picture(1, size: 64)])
            #expect(large.status == 422 && large.problem == "image-too-large")
            #expect(large.json["modality"]?.string == "rgb")
            async let first = server.sendForm("/v1/embeddings", ["rgb": picture(1)])
            async let second = server.sendForm("/v1/embeddings", ["rgb": picture(2)])
            for await _ in arrivals.prefix(2) {}
            let third = try await server.sendForm("/v1/embeddings", ["rgb": picture(3)])
            #expect(third.status == 503 && third.problem == "overloaded")
            #expect(third.headers["retry-after"] == "1")
            #expect(try await server.send("GET", "/healthz").status == 200)
            open.finish()
            #expect(try await [first.status, second.status] == [200, 200])
            let again = try await server.sendForm("/v1/embeddings", ["rgb": picture(3)])
            #expect(again.status == 200)
        }
    }

    @Test("a model that takes too long is not waited for for ever")
    func deadline() async throws {
        let configure = { (configuration: inout ServerConfiguration) in configuration.limits.requestSeconds = 1 }
        try await TestServer.run(configure, encoder: BrightnessEncoder { try await Task.sleep(for: .seconds(30)) }) {
            server in
            let answer = try await server.sendForm("/v1/embeddings", ["rgb": picture(1)])
            #expect(answer.status == 503 && answer.problem == "deadline")
            #expect(answer.headers["retry-after"] == "5")
            #expect(answer.headers["content-type"] == "application/problem+json")
        }
    }
}
