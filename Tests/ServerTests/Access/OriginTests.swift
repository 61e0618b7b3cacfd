import Foundation
import Server
import Testing

@Suite("Whose page sends a request")
struct OriginTests {
    private func status(_ port: Int, _ fields: String, path: String = "/v1/galleries") async throws -> Int {
        let connection = RawConnection(port)
        await connection.send("GET \(path) HTTP/1.1\r\n\(fields)\r\n\r\n")
        return try #require(await connection.answers().first).status
    }

    @Test("a host that is not this server's is refused, so that no name can be made to mean it")
    func hosts() async throws {
        try await TestServer.run {
            $0.hosts = ["Reid.Example.org"]
        } _: { server in
            for host in [
                "127.0.0.1", "127.0.0.1:\(server.port)", "localhost:1", "LOCALHOST", "[::1]:80", "10.1.2.3",
                "reid.example.org", "REID.example.org:443", "reid.example.org.",
            ] {
                let found = try await status(server.port, "Host: \(host)")
                #expect(found == 200, "\(host)")
            }
            for host in [
                "evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example", "[::1", "x",
                "reid.example.org:80x", "127.0.0.1@evil.example",
            ] {
                let found = try await status(server.port, "Host: \(host)")
                #expect(found == 403, "\(host)")
                let health = try await status(server.port, "Host: \(host)", path: "/healthz")
                #expect(health == 403, "\(host)")
            }
        }
    }

    @Test("a page of another site is refused, one of this server and whoever is no browser are not")
    func origins() async throws {
        try await TestServer.run { server in
            let host = "Host: localhost:\(server.port)"
            for fields in [
                "Origin: http://localhost:\(server.port)", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: none",
                "Origin: HTTPS://LOCALHOST:\(server.port)\r\nSec-Fetch-Site: same-origin",
            ] {
                let found = try await status(server.port, "\(host)\r\n\(fields)")
                #expect(found == 200, "\(fields)")
            }
            for fields in [
                "Origin: http://evil.example", "Origin: null", "Origin: http://localhost:1", "Origin: localhost",
                "Sec-Fetch-Site: cross-site", "Origin: http://evil.example\r\nSec-Fetch-Site: same-origin",
            ] {
                let found = try await status(server.port, "\(host)\r\n\(fields)")
                #expect(found == 403, "\(fields)")
            }
        }
    }
}
