import Foundation
import Server
import Testing

@Suite("Heads of requests")
struct HeadTests {
    /// Sends a request on a connection of its own and reads until the server closes.
    private func exchange(_ server: TestServer, _ text: String) async -> String {
        let connection = RawConnection(server.port)
        await connection.send(text)
        return String(decoding: await connection.receive(), as: UTF8.self)
    }

    @Test("header fields that are too large, or too many, are 431")
    func tooLarge() async throws {
        try await TestServer.run { server in
            let long = String(repeating: "y", count: 40_000)
            for head in [
                "GET /healthz HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n", "GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET /healthz HTTP/1.1\r\nHost: a\r\n"
                    + (0..<200).map { "X-\($0): 1\r\n" }.joined() + "\r\n",
            ] {
                let connection = RawConnection(server.port)
                await connection.send(head)
                let answer = try #require(await connection.answers().first)
                try Contract.check("GET", "/healthz", answer.asAnswer)
                #expect(answer.status == 431 && answer.asAnswer.problem == "header-too-large", "\(head.prefix(50))")
                #expect(answer.headers["connection"] == "close")
                #expect(await connection.receive().isEmpty)
            }
        }
    }

    @Test("what is no HTTP is 400 with a problem document, after the answers to what came before")
    func malformed() async throws {
        try await TestServer.run { server in
            for text in ["BROKEN\r\n\r\n", "GET / HTTP/1.1\r\nHost a\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n"] {
                let connection = RawConnection(server.port)
                await connection.send("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" + text)
                let answers = await connection.answers(2)
                #expect(answers.map(\.status) == [200, 400])
                #expect(answers.last?.asAnswer.problem == "malformed-head")
            }
        }
    }

    @Test("HTTP/1.0 is answered as such, with or without a host, and the connection is closed")
    func old() async throws {
        try await TestServer.run { server in
            for fields in ["", "Host: a\r\n", "Connection: keep-alive\r\n", "Expect: 100-continue\r\n"] {
                let text = await exchange(server, "GET /healthz HTTP/1.0\r\n\(fields)\r\n")
                #expect(text.hasPrefix("HTTP/1.0 200") && text.contains("onnection: close"), "\(fields): \(text)")
                #expect(text.hasSuffix(#"{"status":"ok"}"#))
            }
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            // A body of a length that is not known ends with the connection.
            let export = await exchange(server, "GET /v1/galleries/g/export HTTP/1.0\r\n\r\n")
            #expect(export.hasPrefix("HTTP/1.0 200") && !export.lowercased().contains("transfer-encoding"))
            let body = "POST /v1/galleries HTTP/1.0\r\nContent-Type: application/json\r\n"
            let made = await exchange(server, body + "Content-Length: 13\r\n\r\n{\"name\": \"h\"}")
            #expect(made.hasPrefix("HTTP/1.0 201"), "\(made)")
            let chunked = await exchange(server, body + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            #expect(chunked.hasPrefix("HTTP/1.0 400"), "\(chunked)")
        }
    }

    @Test(
        "a request names its host once",
        arguments: ["Host: a\r\nHost: a\r\n", "Host: a\r\nHost: b\r\n", "", "Host:\r\n"])
    func hosts(fields: String) async throws {
        try await TestServer.run { server in
            let text = await exchange(server, "GET /healthz HTTP/1.1\r\n\(fields)\r\n")
            #expect(text.hasPrefix("HTTP/1.1 400") && text.contains("problem:missing-host"), "\(text)")
        }
    }

    @Test("every answer tells browsers to take its type as it is, and to keep it from other pages")
    func browsers() async throws {
        try await TestServer.run { server in
            for head in [
                "GET /healthz HTTP/1.1\r\nHost: a\r\n", "GET /v2 HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\n",
            ] {
                let text = await exchange(server, head + "Connection: close\r\n\r\n").lowercased()
                for field in [
                    "x-content-type-options: nosniff", "referrer-policy: no-referrer",
                    "cross-origin-resource-policy: same-origin",
                ] { #expect(text.contains(field + "\r\n"), "\(head)") }
                #expect(!text.contains("strict-transport-security"))
            }
        }
    }
}
