import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Corrections over HTTP")
struct CorrectionTests {
    private let path = "/v1/galleries/g/identities"

    /// Two sightings of a and one of b; their identifiers.
    private func enrol(_ server: TestServer) async throws -> [String] {
        _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        var ids: [String] = []
        for (identity, number) in [("a", 1), ("a", 2), ("b", 3)] {
            let answer = try await server.sendForm("\(path)/\(identity)/sightings", ["rgb": picture(number)])
            ids.append(try #require(answer.json["id"]?.string))
        }
        return ids
    }

    private func owner(_ server: TestServer, of number: Int) async throws -> String? {
        let answer = try await server.sendForm("/v1/galleries/g/queries", ["rgb": picture(number)])
        return answer.json["matches"]?[0]?["identity"]?.string
    }

    @Test("each kind is made, listed and undone by the path it answers with")
    func each() async throws {
        try await TestServer.run { server in
            let ids = try await enrol(server)
            let steps = [
                ("a/rename", #"{"identity": "c"}"#, "rename", "c"),
                ("a/merge", #"{"identities": ["b"]}"#, "merge", "a"),
                ("a/split", "{\"sightings\": [\"\(ids[0])\"], \"identity\": \"n\"}", "split", "n"),
                ("a/sightings/\(ids[0])/move", #"{"identity": "b"}"#, "move", "b"),
            ]
            for (step, body, kind, owner) in steps {
                let answer = try await server.sendJSON("POST", "\(path)/\(step)", body)
                #expect(answer.status == 200 && answer.json["correction"]?["kind"]?.string == kind, "\(answer.json)")
                #expect(answer.json["correction"]?["identity"]?.string == owner)
                #expect(try await self.owner(server, of: 1) == owner)
                let undo = try #require(answer.json["undo"]?.string)
                #expect(try await server.send("POST", undo).json["undone_at"]?.string != nil)
                #expect(try await self.owner(server, of: 1) == "a")
                let again = try await server.send("POST", undo)
                #expect(again.status == 409 && again.problem == "correction-outdated")
            }
            let list = try await server.send("GET", "/v1/galleries/g/corrections?limit=3")
            #expect(list.json["items"]?.array?.compactMap { $0["kind"]?.string } == ["rename", "merge", "split"])
            let last = try await server.send("GET", "/v1/galleries/g/corrections?order=desc&limit=1")
            let all = try await server.send("GET", "/v1/galleries/g/corrections").json["items"]?.array
            #expect(last.json["items"]?.array?[0]["id"] == all?.last?["id"])
            #expect(try await server.send("GET", "/v1/galleries/g/corrections?order=up").problem == "invalid-field")
            let similar = try await server.send("GET", "\(path)/a/similar")
            #expect(similar.json["items"]?.array?.compactMap { $0["identity"]?.string } == ["b"])
        }
    }

    @Test("who was told apart is similar no more, as the answer, both lists and the undoing say")
    func distinctions() async throws {
        try await TestServer.run { server in
            _ = try await enrol(server)
            func similar() async throws -> Int? {
                try await server.send("GET", "\(path)/a/similar").json["items"]?.array?.count
            }
            func apart(_ identity: String) async throws -> [JSONValue] {
                try await server.send("GET", "\(path)/\(identity)/distinctions").json["items"]?.array ?? []
            }
            #expect(try await similar() == 1)
            #expect(try await apart("a").isEmpty)
            let said = try await server.sendJSON("POST", "\(path)/a/distinguish", #"{"identities": ["b"]}"#)
            #expect(said.status == 200 && said.json["correction"]?["kind"]?.string == "distinguish")
            let found = try await apart("b")
            #expect(found.count == 1 && found[0]["identity"]?.string == "a" && found[0]["created_at"]?.string != nil)
            #expect(found[0]["correction"] == said.json["correction"]?["id"] && found[0].object?.count == 3)
            #expect(try await similar() == 0)
            let undone = try await server.send("POST", try #require(said.json["undo"]?.string))
            #expect(undone.status == 200)
            #expect(try await similar() == 1)
            #expect(try await apart("b").isEmpty)
        }
    }

    @Test("what cannot be corrected has a problem that says why")
    func bad() async throws {
        try await TestServer.run { server in
            let ids = try await enrol(server)
            let cases = [
                ("a/rename", "{}", 400, "invalid-field"), ("a/rename", #"{"identity": "b"}"#, 409, "identity-exists"),
                ("z/rename", #"{"identity": "c"}"#, 404, "identity-not-found"),
                ("a/merge", #"{"identities": []}"#, 400, "invalid-field"),
                ("a/merge", #"{"identities": ["b", 1]}"#, 400, "invalid-field"),
                ("a/distinguish", #"{"identities": ["a"]}"#, 400, "invalid-field"),
                ("a/distinguish", #"{"identities": ["z"]}"#, 404, "identity-not-found"),
                ("z/distinguish", #"{"identities": ["a"]}"#, 404, "identity-not-found"),
                ("a/split", #"{"sightings": ["x"], "identity": "n"}"#, 404, "sighting-not-found"),
                ("b/sightings/\(ids[0])/move", #"{"identity": "c"}"#, 404, "sighting-not-found"),
                ("a/sightings/\(ids[0])/move", #"{"identity": "c", "to": 1}"#, 400, "unknown-field"),
            ]
            for (step, body, status, problem) in cases {
                let answer = try await server.sendJSON("POST", "\(path)/\(step)", body)
                #expect(answer.status == status && answer.problem == problem, "\(step) \(body): \(answer.json)")
            }
            #expect(try await server.send("GET", "\(path)/z/distinctions").problem == "identity-not-found")
            let undo = try await server.send("POST", "/v1/galleries/g/corrections/none/undo")
            #expect(undo.status == 404 && undo.problem == "correction-not-found")
            #expect(try await server.send("GET", "/v1/galleries/g/corrections").json["items"]?.array?.isEmpty == true)
        }
    }
}
