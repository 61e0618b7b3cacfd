import Foundation
import Inference
import Server
import ServingFixtures
import Testing

@Suite("Framing")
struct FramingTests {
    private func get(_ path: String, method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: a\r\n\r\n"
    }

    @Test(
        "a path with empty segments or dots leads nowhere, and one that is not percent-encoded is refused",
        arguments: [
            ("//v1/galleries", 404), ("/v1//galleries", 404), ("/v1/galleries/", 404), ("/", 308), ("//healthz", 404),
            ("/v1/./galleries", 404), ("/v1/galleries/../galleries", 404), ("/v1/galleries/%2e%2E", 404),
            ("/v1/galleries/.%2e/identities", 404), ("/v1/galleries/%2E", 404), ("/v1/galleries/%zz", 400),
            ("/v1/galleries/%f", 400), ("/v1/galleries/%ff", 400), ("/v1/galleries/%c3%28", 400),
            ("/v1/galleries#x", 400), ("/v1/g%61lleries", 200), ("/v1/galleries?limit=1", 200),
            ("http://a/v1/galleries", 200), ("http://a//v1/galleries", 404), ("/healthz/.", 404),
        ])
    func target(path: String, status: Int) async throws {
        try await TestServer.run { server in
            let connection = RawConnection(server.port)
            await connection.send(get(path))
            let answer = try #require(await connection.answers().first)
            #expect(answer.status == status, "\(String(decoding: answer.body, as: UTF8.self))")
            if path.hasPrefix("/") { try Contract.check("GET", path, answer.asAnswer) }
            // It was an ordinary answer: the connection goes on.
            await connection.send(get("/healthz"))
            #expect(await connection.answers().first?.status == 200)
        }
    }

    @Test(
        "a length that is no number, or too large for one, is refused",
        arguments: [("9223372036854775807", 413), ("9223372036854775808", 413), ("18446744073709551616", 400)])
    func length(text: String, status: Int) async throws {
        try await TestServer.run { server in
            let connection = RawConnection(server.port)
            await connection.send(
                "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: \(text)\r\n\r\n{"
            )
            #expect(await connection.answers().first?.status == status)
        }
    }

    @Test("a refusal and a 100 Continue wait for the answers before them")
    func order() async throws {
        let encoder = BrightnessEncoder { try await Task.sleep(for: .milliseconds(300)) }
        try await TestServer.run(encoder: encoder) { server in
            let image = try picture(1).base64EncodedString()
            let json = #"{"images": {"rgb": "\#(image)"}}"#
            let slow =
                "POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(json.utf8.count)\r\n\r\n\(json)"
            for (second, expected) in [
                ("GET /healthz HTTP/1.1\r\n\r\n", [200, 400]),  // No host.
                ("POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n", [200, 413]),
                ("GET", [200]),
                (
                    "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 13\r\n"
                        + "Expect: 100-continue\r\n\r\n{\"name\": \"g\"}", [200, 100, 201]
                ),
                (get("/healthz") + get("/v2") + "BROKEN\r\n\r\n", [200, 200, 404, 400]),
            ] {
                let connection = RawConnection(server.port)
                await connection.send(slow + second)
                let found = await connection.answers(expected.count).map(\.status)
                #expect(found == expected, "\(second)")
            }
        }
    }

    @Test("an answer to HEAD has no body, whatever its status", arguments: ["/healthz", "/v2", "/v1/embeddings", "//"])
    func head(path: String) async throws {
        try await TestServer.run { server in
            let connection = RawConnection(server.port)
            await connection.send(
                "HEAD \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            let data = await connection.receive()
            let blank = try #require(data.range(of: Data("\r\n\r\n".utf8)))
            #expect(blank.upperBound == data.endIndex, "\(String(decoding: data, as: UTF8.self))")
        }
    }

    @Test("broken chunks are 400, and clients that leave are counted as such: none of them is an error of the server's")
    func broken() async throws {
        try await TestServer.run { server in
            let head = "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            for chunks in ["zz\r\n{}\r\n", "2\r\n{}xx", "ffffffffffffffffff\r\n"] {
                let connection = RawConnection(server.port)
                await connection.send(head + "Transfer-Encoding: chunked\r\n\r\n" + chunks)
                let answer = try #require(await connection.answers().first)
                #expect(answer.status == 400, "\(chunks)")
                #expect(String(decoding: answer.body, as: UTF8.self).contains("malformed-body"), "\(chunks)")
            }
            for client in 0..<120 {
                let connection = RawConnection(server.port)
                let framing =
                    client % 2 == 0 ? "Content-Length: 100\r\n\r\n{" : "Transfer-Encoding: chunked\r\n\r\n5\r\n{"
                await connection.send(head + framing)
                connection.leave()
            }
            // All of them have been noticed once their requests are no longer under way.
            var text = ""
            repeat {
                try await Task.sleep(for: .milliseconds(20))
                text = String(decoding: try await server.send("GET", "/metrics").data, as: UTF8.self)
            } while !text.contains("triptych_requests_in_flight 1.0\n")
            #expect(!text.contains(#"status="500""#), "\(text)")
            #expect(text.contains(#"triptych_requests_total{method="POST",route="/v1/galleries",status="499"}"#))
        }
    }

    @Test("no answer repeats more than a little of a long request")
    func echo() async throws {
        try await TestServer.run { server in
            let long = String(repeating: "é", count: 1 << 19)
            _ = try await server.sendJSON("POST", "/v1/galleries", #"{"name": "g"}"#)
            for (path, body) in [
                ("/v1/galleries", #"{"\#(long)": 1}"#), ("/v1/galleries", #"{"name": "\#(long)"}"#),
                ("/v1/galleries", #"{"name": "h", "metadata": {"\#(long)": []}}"#),
                ("/v1/galleries/g/queries", #"{"vector": [1], "group_by": "\#(long)"}"#),
                ("/v1/galleries/g/queries", #"{"vector": [1], "model": "\#(long)"}"#),
                ("/v1/galleries/g/queries", #"{"vector": [1], "filter": {"\#(long)": 1}}"#),
                // One character of half a megabyte.
                ("/v1/galleries", #"{"name": "a\#(String(repeating: "\u{301}", count: 1 << 18))"}"#),
            ] {
                let answer = try await server.sendJSON("POST", path, body)
                #expect((400..<500).contains(answer.status), "\(body.prefix(40))")
                #expect(answer.data.count < 4096, "\(body.prefix(40)): \(answer.data.count)")
            }
            let name = String(repeating: "a", count: 20_000)
            for path in [
                "/\(name)", "/v1/galleries/\(name)", "/v1/galleries?limit=\(name)", "/v1/galleries?cursor=\(name)",
            ] {
                #expect(try await server.send("GET", path).data.count < 4096, "\(path.prefix(40))")
            }
            let type = try await server.send("POST", "/v1/embeddings", body: Data("x".utf8), type: "a/\(name)")
            #expect(type.status == 415 && type.data.count < 4096)
        }
    }
}
