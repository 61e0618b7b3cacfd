import Documents
import Foundation
import Gallery
import ServingFixtures
import Testing

@Suite("Imports and exports")
struct ImportTests {
    private func send(
        _ lines: String, to gallery: String, _ server: TestServer, type: String = "application/x-ndjson"
    ) async throws -> TestServer.Answer {
        try await server.send(
            "POST", "/v1/galleries/\(gallery)/imports", body: Data(lines.utf8), type: type)
    }

    /// The result of an import once it has ended.
    private func imported(_ lines: String, into gallery: String, _ server: TestServer) async throws -> JSONValue {
        let answer = try await send(lines, to: gallery, server)
        #expect(answer.status == 202 && answer.json["kind"]?.string == "import", "\(answer.json)")
        return try await server.ended(try #require(answer.json["id"]?.string))
    }

    private func line(_ identity: String, _ number: Int, _ more: String = "") throws -> String {
        let image = try picture(number).base64EncodedString()
        return "{\"identity\": \"\(identity)\", \"images\": {\"rgb\": \"\(image)\"}\(more)}"
    }

    @Test("good lines are enrolled, what is wrong with others is said by line; sent again, nothing is added")
    func lines() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let lines = try [
                #"{"identity": "car-0", "label": "Van", "metadata": {"fleet": 3}}"#,
                line(
                    "car-0", 0, #", "camera": "north", "captured_at": "2026-01-31T12:00:00Z", "metadata": {"lane": 2}"#),
                "", line("car-1", 1), "not json", line("car-2", 2, #", "colour": "red""#),
                #"{"identity": "car-3", "images": {"rgb": "AAAA"}}"#, #"{"images": {}}"#,
                #"{"identity": "car-4", "images": {"uv": "AAAA"}}"#,
                #"{"identity": "car-5", "vectors": {"rgb": [1, 2]}}"#,
                line("car-6", 6, #", "idempotency_key": "six""#), line("car-7", 7, #", "idempotency_key": "six""#),
                line("car-8", 8),
            ].joined(separator: "\n")
            let job = try await imported(lines, into: "g", server)
            #expect(job["state"]?.string == "succeeded", "\(job)")
            let result = try #require(job["result"])
            #expect(result["enrolled"]?.integer == 5 && result["repeated"]?.integer == 0, "\(result)")
            let errors = try #require(result["errors"]?.array)
            #expect(errors.compactMap { $0["line"]?.integer } == [5, 6, 7, 8, 9, 10, 12], "\(errors)")
            #expect(result["failed"]?.integer == errors.count)
            #expect(errors[3]["field"]?.string == "identity")
            #expect(errors.allSatisfy { ($0["reason"]?.string?.isEmpty ?? true) == false })
            let identity = try await server.send("GET", "/v1/galleries/g/identities/car-0").json
            #expect(identity["label"]?.string == "Van" && identity["sightings"]?.integer == 1)
            let found = try await server.sendForm("/v1/galleries/g/queries", ["rgb": picture(0)]).json["matches"]?[0]
            #expect(found?["identity"]?.string == "car-0" && found?["camera"]?.string == "north")
            #expect(found?["captured_at"]?.string == "2026-01-31T12:00:00.000Z")
            let again = try await imported(lines, into: "g", server)
            #expect(again["result"]?["enrolled"]?.integer == 0 && again["result"]?["repeated"]?.integer == 5)
            #expect(try await server.send("GET", "/v1/galleries/g").json["sightings"]?.integer == 4)
        }
    }

    @Test("what was exported, imported elsewhere, answers alike to the bit, in the same order, without being encoded")
    func roundTrip() async throws {
        try await TestServer.run { server in
            for gallery in ["g", "h"] {
                _ = try await server.sendJSON("POST", "/v1/galleries", "{\"name\": \"\(gallery)\"}")
            }
            _ = try await server.sendJSON(
                "POST", "/v1/galleries/g/identities", #"{"id": "empty", "label": "None yet", "watchlist": true}"#)
            // 150 of 50 pictures: ties.
            for number in 0..<150 {
                let images =
                    try number % 2 == 0
                    ? ["rgb": picture(number % 50)] : ["rgb": picture(number % 50), "tir": picture(number % 50 + 70)]
                _ = try await server.sendForm("/v1/galleries/g/identities/car-\(number)/sightings", images)
            }
            _ = try await server.sendJSON(
                "POST", "/v1/galleries/g/identities/empty/distinguish", #"{"identities": ["car-3", "car-149"]}"#)
            let lines = try await server.send("GET", "/v1/galleries/g/export")
            #expect(lines.status == 200 && lines.headers["content-type"] == "application/x-ndjson")
            let encoded = try await encodings(server)
            let job = try await imported(String(decoding: lines.data, as: UTF8.self), into: "h", server)
            #expect(job["result"]?["enrolled"]?.integer == 301 && job["result"]?["failed"]?.integer == 0, "\(job)")
            #expect(try await encodings(server) == encoded)
            for number in [3, 20, 44] {
                var answers: [[String]] = []
                for gallery in ["g", "h"] {
                    let answer = try await server.sendForm(
                        "/v1/galleries/\(gallery)/queries", ["rgb": picture(number), "tir": picture(number + 70)],
                        options: #"{"limit": 150, "group_by": "sighting"}"#)
                    answers.append(
                        (answer.json["matches"]?.array ?? []).map { "\($0["identity"]!) \($0["score"]!)" })
                }
                #expect(answers[0].count == 150 && answers[0] == answers[1])
            }
            let empty = try await server.send("GET", "/v1/galleries/h/identities/empty").json
            #expect(empty["label"]?.string == "None yet" && empty["sightings"]?.integer == 0)
            #expect(empty["watchlist"]?.bool == true)
            let apart = try await server.send("GET", "/v1/galleries/h/identities/empty/distinctions").json["items"]
            #expect(Set(apart?.array?.compactMap { $0["identity"]?.string } ?? []) == ["car-3", "car-149"])
            let car = try await server.send("GET", "/v1/galleries/h/identities/car-0").json
            #expect(car["watchlist"]?.bool == false)
            let image = try await server.send("GET", "/v1/galleries/h/identities/car-1/sightings").json["items"]?[0]?[
                "id"]
            let kept = try await server.send(
                "GET", "/v1/galleries/h/identities/car-1/sightings/\(try #require(image?.string))/images/tir")
            #expect(try kept.data == picture(71))
        }
    }

    /// How many triples were encoded.
    private func encodings(_ server: TestServer) async throws -> String? {
        let metrics = String(decoding: try await server.send("GET", "/metrics").data, as: UTF8.self)
        return metrics.split(separator: "\n").first { $0.hasPrefix("triptych_batch_triples_sum") }.map(String.init)
    }

    @Test("what is no import is refused, and nothing is left of it")
    func refused() async throws {
        try await TestServer.run({ $0.limits.importBytes = 1000 }) { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            #expect(try await send("{}", to: "g", server, type: "application/json").status == 415)
            #expect(try await send("{}", to: "none", server).status == 404)
            let large = String(repeating: #"{"identity": "a"}"# + "\n", count: 100)
            #expect(try await send(large, to: "g", server).status == 413)
            #expect(try await server.send("GET", "/v1/galleries/none/export").status == 404)
            #expect(try await server.send("GET", "/v1/jobs").json["items"]?.array?.isEmpty == true)
            let folder = URL(fileURLWithPath: server.models).deletingLastPathComponent()
            let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter {
                $0.hasSuffix("-imports")
            }
            for name in left {
                #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/" + name).isEmpty)
            }
            let none = try await imported("", into: "g", server)
            #expect(none["result"]?["enrolled"]?.integer == 0)
        }
    }
}
