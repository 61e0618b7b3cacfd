import Documents
import Foundation
import ServingFixtures
import Testing

@Suite("Sorted lists and facets")
struct ListTests {
    private func fill(_ server: TestServer) async throws {
        _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
        for (number, label) in ["\"Bus\"", "null", "\"Car\"", "\"Bus 2\""].enumerated() {
            let answer = try await server.sendJSON(
                "POST", "/v1/galleries/g/identities/i\(9 - number)/sightings",
                """
                {"vectors": {"rgb": [1, \(number)]}, "label": \(label), "camera": "c\(number % 2)",
                 "captured_at": "2026-01-0\(4 - number)T12:00:00Z"}
                """)
            #expect(answer.status == 201, "\(answer.json)")
        }
    }

    private func ids(_ server: TestServer, _ query: String) async throws -> [String] {
        let answer = try await server.send("GET", "/v1/galleries/g/\(query)")
        #expect(answer.status == 200, "\(answer.json)")
        return answer.json["items"]?.array?.compactMap { ($0["identity"] ?? $0["id"])?.string } ?? []
    }

    @Test("Lists are sorted and filtered as asked, a page at a time")
    func lists() async throws {
        try await TestServer.run(encoder: BrightnessEncoder(dimension: 2)) { server in
            try await fill(server)
            #expect(try await ids(server, "identities") == ["i9", "i8", "i7", "i6"])
            #expect(try await ids(server, "identities?sort=name") == ["i6", "i7", "i8", "i9"])
            #expect(try await ids(server, "identities?sort=label") == ["i9", "i6", "i7"])
            #expect(try await ids(server, "identities?sort=label&order=desc") == ["i7", "i6", "i9"])
            #expect(try await ids(server, "identities?sort=last_seen") == ["i9", "i8", "i7", "i6"])
            #expect(try await ids(server, "identities?sort=last_seen&order=asc") == ["i6", "i7", "i8", "i9"])
            #expect(try await ids(server, "identities?label=Bus%202") == ["i6"])
            #expect(try await ids(server, "identities?label_prefix=Bus&sort=label") == ["i9", "i6"])
            #expect(try await ids(server, "identities?labelled=false") == ["i8"])
            #expect(try await ids(server, "sightings?sort=captured") == ["i6", "i7", "i8", "i9"])
            #expect(try await ids(server, "sightings?order=desc&camera=c1") == ["i6", "i8"])
            #expect(try await ids(server, "sightings?label_prefix=Bus") == ["i9", "i6"])
            let first = try await server.send("GET", "/v1/galleries/g/identities?sort=name&limit=2").json
            let cursor = try #require(first["next"]?.string)
            #expect(try await ids(server, "identities?sort=name&limit=2&cursor=\(cursor)") == ["i8", "i9"])
            for query in [
                "identities?sort=name&cursor=x", "identities?sort=label&cursor=\(cursor)", "identities?sort=size",
                "identities?order=up", "identities?label_prefix=", "identities?labelled=yes", "sightings?sort=name",
                "facets?bucket=year", "facets?captured_after=noon",
            ] {
                let answer = try await server.send("GET", "/v1/galleries/g/\(query)")
                #expect(answer.status == 400 && answer.problem == "invalid-field", "\(query) \(answer.json)")
            }
        }
    }

    @Test("Facets are counted for the filter, also of a gallery without sightings")
    func facets() async throws {
        try await TestServer.run(encoder: BrightnessEncoder(dimension: 2)) { server in
            try await fill(server)
            let all = try await server.send("GET", "/v1/galleries/g/facets").json
            #expect(all["sightings"]?.integer == 4 && all["identities"]?.integer == 4)
            #expect(all["labelled"]?["identities"]?.integer == 3)
            #expect(all["times"]?["items"]?[0]?["start"]?.string == "2026-01-01T00:00:00.000Z")
            let some = try await server.send("GET", "/v1/galleries/g/facets?camera=c1&bucket=month").json
            #expect(some["times"]?["items"]?.array?.map { $0["sightings"] } == [.integer(2)])
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "h"}"#)
            #expect(try await server.send("GET", "/v1/galleries/h/facets").json["sightings"]?.integer == 0)
            #expect(try await server.send("GET", "/v1/galleries/x/facets").problem == "gallery-not-found")
        }
    }
}
