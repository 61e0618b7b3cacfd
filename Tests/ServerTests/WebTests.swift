import Foundation
import Server
import ServingFixtures
import Testing

@Suite("Browsers")
struct WebTests {
    private func exchange(_ server: TestServer, _ head: String) async throws -> RawConnection.Answer {
        let connection = RawConnection(server.port)
        await connection.send(head + "\r\nHost: a\r\n\r\n")
        return try #require(await connection.answers().first)
    }

    @Test("pages of the configured origins may use the API, and no others")
    func origins() async throws {
        try await TestServer.run({ $0.origins = ["https://example.org", "http://localhost:3000"] }) { server in
            for origin in ["https://example.org", "http://localhost:3000"] {
                let preflight = try await exchange(
                    server, "OPTIONS /v1/galleries HTTP/1.1\r\nOrigin: \(origin)\r\nAccess-Control-Request-Method: POST"
                )
                #expect(preflight.status == 204)
                #expect(preflight.headers["access-control-allow-origin"] == origin)
                #expect(preflight.headers["access-control-allow-methods"] == "GET, HEAD, POST")
                #expect(preflight.headers["access-control-allow-credentials"] == nil)
                for (path, status) in [("/v1/galleries", 200), ("/v1/galleries/none", 404)] {
                    let answer = try await exchange(server, "GET \(path) HTTP/1.1\r\nOrigin: \(origin)")
                    #expect(answer.status == status)
                    #expect(answer.headers["access-control-allow-origin"] == origin)
                    #expect(answer.headers["vary"]?.contains("Origin") == true)
                }
            }
            for origin in ["https://example.com", "http://example.org", "https://example.org:8443", "null"] {
                let preflight = try await exchange(
                    server, "OPTIONS /v1/galleries HTTP/1.1\r\nOrigin: \(origin)\r\nAccess-Control-Request-Method: POST"
                )
                #expect(preflight.status == 403)
                let answer = try await exchange(server, "GET /v1/galleries HTTP/1.1\r\nOrigin: \(origin)")
                for answer in [preflight, answer] {
                    #expect(answer.headers["access-control-allow-origin"] == nil, "\(origin)")
                    #expect(answer.headers["vary"]?.contains("Origin") == true)
                }
            }
        }
    }

    @Test("without configured origins nothing is said of them")
    func noOrigins() async throws {
        try await TestServer.run { server in
            let answer = try await exchange(server, "GET /v1/galleries HTTP/1.1\r\nOrigin: https://example.org")
            #expect(answer.headers["access-control-allow-origin"] == nil && answer.headers["vary"] == nil)
            let preflight = try await exchange(
                server, "OPTIONS /v1/galleries HTTP/1.1\r\nOrigin: https://a.org\r\nAccess-Control-Request-Method: GET")
            #expect(preflight.status == 403)
        }
    }

    @Test(
        "an origin that no browser would send stops the start",
        arguments: ["*", "https://example.org/", "example.org", "https://Example.org", "https://", "null"])
    func notAnOrigin(text: String) async throws {
        let error = await #expect(throws: ServerError.self) {
            try await TestServer.run({ $0.origins = [text] }) { _ in }
        }
        #expect("\(try #require(error))".hasPrefix("cors.origins: expected origins such as"))
    }
}

@Suite("Compression")
struct CompressionTests {
    /// Fills a list that is worth compressing.
    private func fill(_ server: TestServer) async throws {
        for number in 0..<30 {
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "gallery-\#(number)"}"#)
        }
    }

    @Test("a long answer is compressed for who asks, and reads the same")
    func asked() async throws {
        try await TestServer.run { server in
            try await fill(server)
            let plain = try await server.send("GET", "/v1/galleries", headers: ["Accept-Encoding": "identity"])
            #expect(plain.headers["content-encoding"] == nil && plain.headers["vary"] == "Accept-Encoding")
            // The test client inflates what comes.
            let compressed = try await server.send("GET", "/v1/galleries", headers: ["Accept-Encoding": "gzip"])
            #expect(compressed.headers["content-encoding"] == "gzip" && compressed.headers["vary"] == "Accept-Encoding")
            #expect(compressed.json == plain.json && compressed.json["items"]?.array?.count == 30)
            let lines = try await server.send(
                "GET", "/v1/galleries/gallery-1/export", headers: ["Accept-Encoding": "gzip"])
            #expect(lines.status == 200 && lines.headers["vary"] == "Accept, Accept-Encoding")
        }
    }

    @Test(
        "only who asks gets it compressed",
        arguments: [
            ("gzip", true), ("deflate, gzip;q=0.5", true), ("*", true), ("GZIP", true), ("x-gzip", true),
            ("gzip;q=0", false), ("gzip; q=0.0, *", false), ("identity", false), ("br", false), ("gzip;q=x", false),
        ])
    func encodings(field: String, isCompressed: Bool) async throws {
        try await TestServer.run { server in
            try await fill(server)
            let connection = RawConnection(server.port)
            await connection.send(
                "GET /v1/galleries HTTP/1.1\r\nHost: a\r\nAccept-Encoding: \(field)\r\nConnection: close\r\n\r\n")
            let text = String(decoding: await connection.receive(), as: UTF8.self)
            #expect(text.contains("gallery-7") != isCompressed)
            #expect(text.contains("Content-Encoding: gzip") == isCompressed)
        }
    }

    @Test("short answers, problems and images are sent as they are")
    func asTheyAre() async throws {
        try await TestServer.run { server in
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            let enrolled = try await server.sendForm(
                "/v1/galleries/g/identities/a/sightings", ["rgb": picture(1, size: 256)])
            let sighting = try #require(enrolled.json["id"]?.string)
            for path in [
                "/healthz", "/v1/galleries/\(String(repeating: "x", count: 4000))",
                "/v1/galleries/g/identities/a/sightings/\(sighting)/images/rgb",
            ] {
                let answer = try await server.send("GET", path, headers: ["Accept-Encoding": "gzip"])
                #expect(answer.headers["content-encoding"] == nil, "\(path.prefix(60))")
            }
        }
    }
}
