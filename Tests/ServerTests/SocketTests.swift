import DatabaseFixtures
import Foundation
import Server
import Testing

@Suite("Raw sockets")
struct SocketTests {
    /// Sends bytes and reads until a whole head has come or the server closes.
    private func exchange(_ port: Int, _ text: String) async -> String {
        let connection = RawConnection(port)
        await connection.send(text)
        return String(decoding: await connection.receive { $0.range(of: Data("\r\n\r\n".utf8)) != nil }, as: UTF8.self)
    }

    @Test("a body declared too long is refused at once, without being received")
    func declaredLength() async throws {
        try await TestServer.run({ $0.limits.bodyBytes = 1000 }) { server in
            let answer = await exchange(
                server.port,
                "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test("a chunked body is refused when it becomes too long")
    func chunked() async throws {
        try await TestServer.run({ $0.limits.bodyBytes = 1000 }) { server in
            let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
            let answer = await exchange(
                server.port,
                "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 413"))
        }
    }

    @Test(
        "a server that is about to end says so to whoever asks whether it is ready, and serves until the drain is over")
    func draining() async throws {
        try await TestServer.run({ $0.limits.drainSeconds = 3600 }) { server in
            let kept = RawConnection(server.port)
            await kept.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(try #require(await kept.answers().first).headers["connection"] != "close")
            await server.shutDown()
            try await eventually("it is ready") { try await server.send("GET", "/readyz").status != 200 }
            let answer = try await server.send("GET", "/readyz")
            #expect(answer.status == 503 && answer.problem == "stopping" && answer.headers["retry-after"] == "5")
            #expect(try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#).status == 201)
            await kept.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            let last = try #require(await kept.answers().first)
            #expect(last.status == 200 && last.headers["connection"] == "close")
            #expect(await kept.receive().isEmpty)
        }
        try await TestServer.run({ $0.limits.drainSeconds = 1 }) { server in
            await server.shutDown()
            for await _ in server.ends {}
        }
    }

    @Test("100-continue is answered before the body comes")
    func continuation() async throws {
        try await TestServer.run { server in
            let answer = await exchange(
                server.port,
                "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 100"))
        }
    }

    @Test("a body that does not come is given up")
    func slowBody() async throws {
        try await TestServer.run({ $0.limits.bodySeconds = 1 }) { server in
            let answer = await exchange(
                server.port,
                "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )
            #expect(answer.hasPrefix("HTTP/1.1 408"))
        }
    }

    @Test("malformed framing is refused, and the server answers the next client")
    func malformed() async throws {
        try await TestServer.run { server in
            for head in [
                "GET /healthz HTTP/1.1\r\n\r\n",  // No host.
                "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n",
                "GET\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "y", count: 100_000) + "\r\n\r\n",
            ] {
                let answer = await exchange(server.port, head)
                #expect(answer.hasPrefix("HTTP/1.1 4"), "\(head.prefix(40)): \(answer.prefix(60))")
            }
            let alive = try await server.send("GET", "/healthz")
            #expect(alive.status == 200)
        }
    }

    @Test("a port in use is a clear error")
    func portInUse() async throws {
        try await TestServer.run { server in
            await #expect(throws: ServerError.addressInUse(host: "127.0.0.1", port: server.port)) {
                try await TestServer.run({ $0.port = server.port }) { _ in }
            }
        }
    }
}
