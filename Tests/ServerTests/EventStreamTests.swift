import Foundation
import ServingFixtures
import Testing

@Suite("Events and audit over HTTP")
struct EventStreamTests {
    private func follow(_ server: TestServer, _ query: String, _ fields: String = "") async -> RawConnection {
        let connection = RawConnection(server.port)
        await connection.send("GET /v1/events\(query) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")
        return connection
    }

    private func enrol(_ server: TestServer, _ identity: String, into gallery: String = "g") async throws {
        let answer = try await server.sendForm(
            "/v1/galleries/\(gallery)/identities/\(identity)/sightings", ["rgb": picture(3)],
            options: #"{"camera": "north"}"#)
        #expect(answer.status == 201)
    }

    /// What has come once a text is in it.
    private func text(_ connection: RawConnection, until wanted: String) async -> String {
        String(decoding: await connection.receive { $0.range(of: Data(wanted.utf8)) != nil }, as: UTF8.self)
    }

    @Test("a follower is told what happens as it happens, and one that comes again what it has missed")
    func stream() async throws {
        try await TestServer.run { server in
            for name in ["g", "h"] {
                _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "\#(name)"}"#)
            }
            try await enrol(server, "before")
            let live = await follow(server, "?gallery=g&kind=enrolled")
            #expect(await text(live, until: "retry: ").contains("text/event-stream"))
            try await enrol(server, "other", into: "h")
            try await enrol(server, "van-17")
            let told = await text(live, until: "van-17")
            #expect(told.contains("event: enrolled") && told.contains(#""camera":"north""#))
            #expect(!told.contains("before") && !told.contains("other"))
            let id = try #require(told.firstMatch(of: /id: (\d+)\nevent/)?.output.1)
            try await enrol(server, "later")
            let again = await follow(server, "", "Last-Event-ID: \(id)\r\n")
            let missed = await text(again, until: "later")
            #expect(!missed.contains("van-17") && !missed.contains("event: missed"))
            let whole = await follow(server, "?after=0")
            #expect(await text(whole, until: "later").contains("before"))
            let ahead = await follow(server, "?after=100000")
            #expect(await text(ahead, until: "event: missed").contains("100000"))
            for query in ["?kind=x", "?after=x", "?after=-1", "?gallery="] {
                #expect(try await server.send("GET", "/v1/events\(query)").status == 400, "\(query)")
            }
        }
    }

    @Test("a key of some galleries follows these alone, and a revoked one no more")
    func keys() async throws {
        try await TestServer.run { server in
            for name in ["g", "h"] {
                _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "\#(name)"}"#)
            }
            try await enrol(server, "mine")
            try await enrol(server, "foreign", into: "h")
            try await enrol(server, "mine-too")
            let admin = try await server.key("admin")
            let key = try await server.key("read", galleries: ["g"], by: admin)
            let connection = await follow(server, "?after=0", "Authorization: Bearer \(key)\r\n")
            #expect(await !text(connection, until: "mine-too").contains("foreign"))
            #expect(try await server.send("GET", "/v1/events?gallery=h", key: key).problem == "other-gallery")
            #expect(try await server.send("GET", "/v1/events").status == 401)
            _ = try await server.send("DELETE", "/v1/keys/\(key.split(separator: "_")[1])", key: admin)
            #expect(await connection.receive { $0.range(of: Data("0\r\n\r\n".utf8)) != nil }.count > 0)
        }
    }

    @Test("an admin reads who has done what, and nobody else does")
    func audit() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let admin = try await server.key("admin")
            let id = String(admin.split(separator: "_")[1])
            let patched = try await server.send("PATCH", "/v1/galleries/g", key: admin, json: #"{"label": "G"}"#)
            #expect(patched.status == 200)
            #expect(try await server.send("DELETE", "/v1/galleries/g", key: admin).status == 204)
            let mine = try await server.send("GET", "/v1/audit?by=\(id)", key: admin).json["items"]?.array
            #expect(mine?.compactMap { $0["action"]?.string } == ["gallery-changed", "gallery-erased"])
            let all = try await server.send("GET", "/v1/audit?limit=2", key: admin).json
            #expect(all["items"]?.array?.compactMap { $0["action"]?.string } == ["gallery-created", "key-created"])
            #expect(all["items"]?.array?[0]["gallery"] == nil && all["next"]?.string != nil)
            let last = try await server.send("GET", "/v1/audit?limit=2&order=desc", key: admin).json
            #expect(last["items"]?.array?.compactMap { $0["action"]?.string } == ["gallery-erased", "gallery-changed"])
            let next = try #require(last["next"]?.string)
            let before = try await server.send("GET", "/v1/audit?order=desc&cursor=\(next)", key: admin).json["items"]
            #expect(before?.array?.compactMap { $0["action"]?.string } == ["key-created", "gallery-created"])
        }
    }

    @Test("an identity is put on the watchlist by a patch")
    func watchlist() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            try await enrol(server, "a")
            let path = "/v1/galleries/g/identities/a"
            #expect(try await server.send("GET", path).json["watchlist"]?.bool == false)
            #expect(try await server.sendJSON("PATCH", path, #"{"watchlist": true}"#).json["watchlist"]?.bool == true)
            #expect(try await server.sendJSON("PATCH", path, #"{"watchlist": 1}"#).status == 400)
            let connection = await follow(server, "")
            _ = await text(connection, until: "retry: ")
            try await enrol(server, "a")
            #expect(await text(connection, until: "event: watchlist").contains("event: enrolled"))
        }
    }
}
