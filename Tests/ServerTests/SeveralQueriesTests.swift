import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Queries of several exemplars and galleries")
struct SeveralQueriesTests {
    private func fill(_ server: TestServer, _ galleries: [String] = ["g"]) async throws {
        for (place, name) in galleries.enumerated() {
            _ = try await server.sendJSON("POST", "/v1/galleries", "{\"name\": \"\(name)\"}")
            for car in 0..<6 {
                let answer = try await server.sendForm(
                    "/v1/galleries/\(name)/identities/car-\(car)/sightings",
                    ["rgb": picture(car + 10 * place), "tir": picture(car + 50)],
                    options: #"{"camera": "c\#(car % 2)"}"#)
                #expect(answer.status == 201)
            }
        }
    }

    private func image(_ seed: Int) throws -> String { try picture(seed).base64EncodedString() }

    @Test("Exemplars by form and by JSON, of all kinds, are combined exactly")
    func exemplars() async throws {
        try await TestServer.run { server in
            try await fill(server)
            let list = try await server.send("GET", "/v1/galleries/g/identities/car-3/sightings")
            let sighting = try #require(list.json["items"]?[0]?["id"]?.string)
            let vectors = try await server.sendForm("/v1/embeddings", ["rgb": picture(2)]).json["vectors"]?["rgb"]
            let floats = try #require(vectors?.array).compactMap(\.number)
            let exemplars = [
                "{\"images\": {\"rgb\": \"\(try image(1))\"}}", "{\"vectors\": {\"rgb\": \(floats)}}",
                "{\"sighting\": \"\(sighting)\"}", #"{"text": "picture 4"}"#,
            ]
            for combination in ["best", "mean"] {
                let answer = try await server.sendJSON(
                    "POST", "/v1/galleries/g/queries",
                    """
                    {"exemplars": [\(exemplars.joined(separator: ", "))], "combine": "\(combination)", "by_exemplar": true,
                     "group_by": "sighting"}
                    """)
                #expect(answer.status == 200, "\(answer.json)")
                let matches = try #require(answer.json["matches"]?.array)
                #expect(matches.count == 5 && !matches.contains { $0["sighting"]?.string == sighting })
                for match in matches {
                    let scores = try #require(match["by_exemplar"]?.array).compactMap(\.number).map(Float.init)
                    #expect(scores.count == 4)
                    let mean = Float(scores.reduce(0.0) { $0 + Double($1) } / 4)
                    #expect(match["score"]?.number.map(Float.init) == (combination == "best" ? scores.max() : mean))
                }
            }
            let form = try await server.sendForm(
                "/v1/galleries/g/queries", ["0.rgb": picture(1), "0.tir": picture(51), "1.rgb": picture(2)],
                options: #"{"limit": 6, "boxes": {"0.rgb": [0, 0, 32, 32]}}"#)
            let json = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries",
                """
                {"limit": 6, "exemplars": [{"images": {"rgb": "\(image(1))", "tir": "\(image(51))"}},
                 {"images": {"rgb": "\(image(2))"}}]}
                """)
            #expect(form.json["matches"] == json.json["matches"] && form.json["matches"]?.array?.count == 6)
            #expect(form.json["modalities"] == .array([.string("rgb"), .string("tir")]))
            let batch = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries/batch",
                """
                {"limit": 6, "queries": [{"text": "picture 3"}, {"exemplars": [{"images": {"rgb": "\(image(1))",
                 "tir": "\(image(51))"}}, {"images": {"rgb": "\(image(2))"}}]}]}
                """)
            #expect(batch.json["results"]?[1]?["matches"] == json.json["matches"])
            #expect(batch.json["results"]?[0]?["matches"]?[0]?["identity"]?.string == "car-3")
        }
    }

    @Test(
        "Exemplars and scores that make no sense are refused, by the field at fault",
        arguments: [
            (#"{"exemplars": [{"text": "a", "vectors": {"rgb": [1]}}]}"#, "exemplars.0.text"),
            (#"{"exemplars": [{"rgb": 1}]}"#, "exemplars.0.rgb"), (#"{"exemplars": 3}"#, "exemplars"),
            (#"{"exemplars": [{"text": "picture 1"}], "text": "picture 1"}"#, "text"),
            (#"{"exemplars": [{"exemplars": []}]}"#, "exemplars.0.exemplars"),
            (#"{"text": "picture 1", "combine": "sum"}"#, "combine"), (#"{"text": "picture 1", "score": 3}"#, "score"),
            (#"{"text": "picture 1", "score": {"mean_of_best": 0}}"#, "score.mean_of_best"),
            (#"{"text": "picture 1", "score": {}}"#, "score.mean_of_best"),
            (#"{"text": "picture 1", "score": "worst"}"#, "score"),
            (#"{"text": "picture 1", "score": "per_camera", "group_by": "sighting"}"#, "score"),
            (#"{"text": "picture 1", "score": "per_camera", "rerank": true}"#, "score"),
            (#"{"text": "picture 1", "by_exemplar": true, "limit": 101}"#, "limit"),
            (
                "{\"exemplars\": [\(Array(repeating: "{\"text\": \"a\"}", count: 17).joined(separator: ","))]}",
                "exemplars"
            ),
        ])
    func refused(body: String, field: String) async throws {
        try await TestServer.run { server in
            try await fill(server)
            let answer = try await server.sendJSON("POST", "/v1/galleries/g/queries", body)
            #expect(answer.status == 400 && answer.json["field"]?.string == field, "\(answer.json)")
        }
    }

    @Test("No exemplar is no image, and what one cannot be is said of the whole query")
    func broken() async throws {
        try await TestServer.run { server in
            try await fill(server)
            for body in [#"{"exemplars": []}"#, #"{"exemplars": [{}]}"#, "{}"] {
                #expect(try await server.sendJSON("POST", "/v1/galleries/g/queries", body).problem == "no-image")
            }
            let answer = try await server.sendForm(
                "/v1/galleries/g/queries", ["0.rgb": picture(1), "1.rgb": Data("no image".utf8)])
            #expect(answer.status == 422 && answer.problem == "image-undecodable")
            let gap = try await server.sendForm("/v1/galleries/g/queries", ["0.rgb": picture(1), "2.rgb": picture(1)])
            #expect(gap.status == 400 && gap.json["field"]?.string == "1.rgb")
        }
    }

    @Test("Identities are scored by several of their sightings, and matches say of how many")
    func scores() async throws {
        try await TestServer.run { server in
            try await fill(server)
            for car in 0..<3 {
                _ = try await server.sendForm(
                    "/v1/galleries/g/identities/car-0/sightings", ["rgb": picture(car)], options: #"{"camera": "c7"}"#)
            }
            for (score, counted) in [(#"{"mean_of_best": 2}"#, 2), (#""per_camera""#, 2), (#"{"mean_of_best": 9}"#, 4)]
            {
                let answer = try await server.sendJSON(
                    "POST", "/v1/galleries/g/queries", #"{"text": "picture 0", "score": \#(score), "limit": 6}"#)
                let match = answer.json["matches"]?.array?.first { $0["identity"]?.string == "car-0" }
                #expect(match?["counted"]?.integer == counted, "\(answer.json)")
            }
            let best = try await server.sendJSON(
                "POST", "/v1/galleries/g/queries", #"{"text": "picture 0", "score": "best"}"#)
            #expect(best.json["matches"]?[0]?["identity"]?.string == "car-0")
            #expect(best.json["matches"]?[0]?["counted"] == nil)
        }
    }

    @Test("Several galleries are one ranking, for a key that is good for each")
    func galleries() async throws {
        try await TestServer.run { server in
            try await fill(server, ["a", "b", "c"])
            let images = #""images": {"rgb": "\#(try image(12))"}, "limit": 20"#
            let body = "{\"galleries\": [\"a\", \"b\"], \(images)}"
            let found = try await server.sendJSON("POST", "/v1/queries", body)
            let matches = try #require(found.json["matches"]?.array)
            #expect(matches.count == 12 && matches[0]["gallery"]?.string == "b")
            #expect(matches[0]["identity"]?.string == "car-2")
            for name in ["a", "b"] {
                let alone = try await server.sendJSON(
                    "POST", "/v1/galleries/\(name)/queries", "{\(images)}")
                let own = matches.filter { $0["gallery"]?.string == name }.map { $0["score"] }
                #expect(own == alone.json["matches"]?.array?.map { $0["score"] })
            }
            let form = try await server.sendForm(
                "/v1/queries", ["rgb": picture(12)], options: #"{"galleries": ["a", "b"], "rerank": true, "limit": 3}"#)
            #expect(form.json["matches"]?.array?.count == 3)
            #expect(found.json["unknown"]?.bool == false && found.json["incomparable"]?.integer == 0)
            for (wrong, status) in [
                (#"{"text": "picture 1"}"#, 400), (#"{"galleries": [], "text": "picture 1"}"#, 400),
                (#"{"galleries": ["a", "a"], "text": "picture 1"}"#, 400),
                (#"{"galleries": ["a", "x"], "text": "picture 1"}"#, 404),
                ("{\"galleries\": [\((0..<17).map { "\"g\($0)\"" }.joined(separator: ","))], \"text\": \"a\"}", 400),
            ] {
                let answer = try await server.sendJSON("POST", "/v1/queries", wrong)
                #expect(answer.status == status, "\(answer.json)")
            }
            let admin = try await server.key("admin")
            let some = try await server.key("read", galleries: ["a", "b"], by: admin)
            #expect(try await server.send("POST", "/v1/queries", key: some, json: body).status == 200)
            // There or not, one is told the same.
            for other in ["c", "x"] {
                let answer = try await server.send(
                    "POST", "/v1/queries", key: some, json: #"{"galleries": ["a", "\#(other)"], "text": "picture 1"}"#)
                #expect(answer.status == 403 && answer.problem == "other-gallery")
            }
        }
    }

    @Test("A sighting of one of the galleries is looked for in all, and is no answer itself")
    func sighting() async throws {
        try await TestServer.run { server in
            try await fill(server, ["a", "b"])
            let list = try await server.send("GET", "/v1/galleries/b/identities/car-1/sightings")
            let sighting = try #require(list.json["items"]?[0]?["id"]?.string)
            let found = try await server.sendJSON(
                "POST", "/v1/queries", #"{"galleries": ["a", "b"], "sighting": "\#(sighting)", "group_by": "sighting"}"#
            )
            #expect(found.json["matches"]?.array?.count == 10)
            #expect(found.json["matches"]?.array?.contains { $0["sighting"]?.string == sighting } == false)
            let nowhere = try await server.sendJSON(
                "POST", "/v1/queries", #"{"galleries": ["a"], "sighting": "\#(sighting)"}"#)
            #expect(nowhere.status == 404 && nowhere.problem == "sighting-not-found")
        }
    }
}
