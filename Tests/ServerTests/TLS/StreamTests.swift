import Foundation
import Server
import ServingFixtures
import Testing

@Suite("HTTP/2")
struct StreamTests {
    private typealias Frame = StreamedConnection.Frame

    /// A server that speaks TLS.
    private func run(
        _ configure: (inout ServerConfiguration) -> Void = { _ in }, encoder: BrightnessEncoder = BrightnessEncoder(),
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let tls = try Certificates.tls()
        try await TestServer.run(
            {
                $0.tls = tls
                configure(&$0)
            }, encoder: encoder, body)
    }

    private func embedding(_ stream: Int) throws -> [Frame] {
        let json = #"{"images": {"rgb": "\#(try picture(1).base64EncodedString())"}}"#
        return [
            .request(stream, "POST", "/v1/embeddings", [("content-type", "application/json")], hasBody: true),
            .body(stream, json),
        ]
    }

    private func isHealthy(_ server: TestServer) async throws -> Bool {
        let connection = try await StreamedConnection(server.port)
        await connection.send([.request(1, "GET", "/healthz")])
        return try await connection.answer(1).status == 200
    }

    @Test("requests on one connection are answered, each on its stream")
    func answers() async throws {
        try await run { server in
            let connection = try await StreamedConnection(server.port)
            await connection.send(
                try [
                    .request(1, "GET", "/healthz"), .request(3, "GET", "/v2"),
                    .request(5, "POST", "/v1/galleries", [("content-type", "application/json")], hasBody: true),
                    .body(5, #"{"name": "g"}"#), .request(7, "HEAD", "/healthz"),
                    .request(9, "GET", "/healthz", authority: nil, [("host", "a")]),
                ] + embedding(11))
            for (stream, method, path, status) in [
                (1, "GET", "/healthz", 200), (3, "GET", "/v2", 404), (5, "POST", "/v1/galleries", 201),
                (7, "HEAD", "/healthz", 200), (9, "GET", "/healthz", 200), (11, "POST", "/v1/embeddings", 200),
            ] {
                let answer = try await connection.answer(stream)
                #expect(answer.status == status, "\(path)")
                try Contract.check(method, path, answer)
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                #expect(answer.headers["strict-transport-security"] == "max-age=31536000")
            }
        }
    }

    @Test("what HTTP/1.1 refuses is refused, and the streams beside it are answered")
    func refusals() async throws {
        try await run({ $0.limits.bodyBytes = 1000 }) { server in
            let long = String(repeating: "y", count: 12_000)
            let many = (0..<101).map { ("x-\($0)", "1") }
            for (frame, status) in [
                (Frame.request(1, "POST", "/v1/galleries", [("content-length", "5000")], hasBody: true), 413),
                (.request(1, "GET", "/healthz", authority: nil), 400),
                (.request(1, "GET", "/healthz", [("host", "b")]), 400),
                (.request(1, "GET", "/healthz", authority: nil, [("host", "a"), ("host", "a")]), 400),
                (.request(1, "GET", "/healthz", many), 431), (.request(1, "GET", "//healthz"), 404),
                (.request(1, "GET", "/v1/galleries/%zz"), 400),
            ] {
                let connection = try await StreamedConnection(server.port)
                await connection.send([frame, .request(3, "GET", "/healthz")])
                let answer = try await connection.answer(1)
                #expect(answer.status == status)
                #expect(answer.headers["connection"] == nil)
                #expect(try await connection.answer(3).status == 200)
            }
            // In frames of the usual size.
            let connection = try await StreamedConnection(server.port)
            let fields = Frame.request(1, "GET", "/healthz", [("x", long), ("y", long), ("z", long)]).payload
            await connection.send([
                Frame(kind: .headers, flags: Frame.end, stream: 1, payload: fields.prefix(16_384)),
                Frame(kind: .continuation, stream: 1, payload: fields.dropFirst(16_384).prefix(16_384)),
                Frame(kind: .continuation, flags: Frame.endOfHead, stream: 1, payload: fields.dropFirst(32_768)),
                .request(3, "GET", "/healthz"),
            ])
            #expect(try await connection.answer(1).status == 431)
            #expect(try await connection.answer(3).status == 200)
        }
    }

    @Test("a body that grows too long is refused, and the rest of it not wanted")
    func longBody() async throws {
        try await run({ $0.limits.bodyBytes = 1000 }) { server in
            let connection = try await StreamedConnection(server.port)
            await connection.send([
                .request(1, "POST", "/v1/galleries", [("content-type", "application/json")], hasBody: true),
                .body(1, String(repeating: "x", count: 2000), isLast: false),
            ])
            #expect(try await connection.answer(1).status == 413)
            let frames = await connection.frames { $0.contains { $0.kind == .reset } }
            // NO_ERROR: the answer stands.
            #expect(frames.last { $0.kind == .reset }?.error == 0)
            await connection.send([.request(3, "GET", "/healthz")])
            #expect(try await connection.answer(3).status == 200)
        }
    }

    @Test("a slow body is given up, while other streams are answered")
    func slowBody() async throws {
        try await run({ $0.limits.stallSeconds = 1 }) { server in
            let connection = try await StreamedConnection(server.port)
            await connection.send([
                .request(1, "POST", "/v1/galleries", [("content-type", "application/json")], hasBody: true),
                .body(1, "{", isLast: false), .request(3, "GET", "/healthz"),
            ])
            #expect(try await connection.answer(3).status == 200)
            #expect(try await connection.answer(1).status == 408)
        }
    }

    @Test("an answer whose window stays shut is given up, and its stream alone")
    func closedWindow() async throws {
        try await run({ $0.limits.stallSeconds = 1 }) { server in
            let connection = try await StreamedConnection(server.port, window: 0)
            await connection.send([.request(1, "GET", "/openapi.yaml")])
            let frames = await connection.frames { $0.contains { $0.kind == .reset } }
            #expect(frames.contains { $0.kind == .headers && $0.stream == 1 })
            #expect(frames.contains { $0.kind == .reset && $0.stream == 1 })
            #expect(!frames.contains { $0.kind == .goAway })
            await connection.send([.request(3, "HEAD", "/healthz")])
            #expect(try await connection.answer(3).status == 200)
        }
    }

    @Test("streams take places among the requests in flight, and give them back when they are reset")
    func admission() async throws {
        let (encodings, encoding) = AsyncStream.makeStream(of: Void.self)
        let encoder = BrightnessEncoder {
            encoding.yield()
            try await Task.sleep(for: .seconds(3600))
        }
        try await run({ $0.limits.requestsInFlight = 2 }, encoder: encoder) { server in
            let connection = try await StreamedConnection(server.port)
            // The second has its place, and waits for its body.
            await connection.send(
                try embedding(1) + [
                    .request(3, "POST", "/v1/galleries", [("content-type", "application/json")], hasBody: true)
                ])
            for await _ in encodings { break }
            await connection.send([.request(5, "GET", "/v1/galleries")])
            let refused = try await connection.answer(5)
            #expect(refused.status == 503 && refused.headers["retry-after"] == "1")
            await connection.send([
                Frame(kind: .reset, stream: 1, payload: Frame.number(8)),
                Frame(kind: .reset, stream: 3, payload: Frame.number(8)),
            ])
            var (stream, status) = (7, 503)
            while status == 503 {
                await connection.send([.request(stream, "GET", "/v1/galleries")])
                status = try await connection.answer(stream).status
                stream += 2
            }
            #expect(status == 200)
        }
    }

    @Test("floods end the connection, and no other")
    func floods() async throws {
        try await run { server in
            let head = Frame.request(1, "GET", "/v1/galleries")
            let floods: [(String, [Frame])] = [
                (
                    "rapid reset (CVE-2023-44487)",
                    (0..<2000).flatMap { index in
                        [
                            Frame.request(2 * index + 1, "GET", "/v1/galleries"),
                            Frame(kind: .reset, stream: 2 * index + 1, payload: Frame.number(8)),
                        ]
                    }
                ), ("settings", (0..<2000).map { _ in Frame(kind: .settings) }),
                ("pings", (0..<2000).map { _ in Frame(kind: .ping, payload: Data(count: 8)) }),
                (
                    "continuations (CVE-2024-27316)",
                    [Frame(kind: .headers, stream: 1, payload: head.payload)]
                        + (0..<2000).map { _ in
                            Frame(kind: .continuation, stream: 1, payload: Data([0, 1, 120, 1, 120]))
                        }
                ),
                (
                    "empty data",
                    [.request(1, "POST", "/v1/galleries", hasBody: true)]
                        + (0..<2000).map { _ in .body(1, "", isLast: false) }
                ),
                (
                    "errors of streams (CVE-2025-8671)",
                    (0..<2000).flatMap { index in
                        [
                            Frame.request(2 * index + 1, "GET", "/v1/galleries"),
                            Frame(kind: .window, stream: 2 * index + 1, payload: Frame.number(0)),
                        ]
                    }
                ),
                (
                    "a table of fields that unfolds",
                    [
                        Frame(
                            kind: .headers, flags: Frame.endOfHead | Frame.end, stream: 1,
                            // One field of 4000 bytes into the table, and then four thousand times from there.
                            payload: head.payload + Data([0x40, 1, 120, 127, 0xA1, 30])
                                + Data(repeating: 97, count: 4000)
                                + Data(repeating: 0xBE, count: 4000))
                    ]
                ),
                (
                    "streams by the hundred",
                    (0..<200).map {
                        .request(2 * $0 + 1, "POST", "/v1/galleries", [("content-length", "9")], hasBody: true)
                    }
                ), ("a frame that is too long", [Frame(kind: .data, stream: 1, payload: Data(count: 70_000))]),
            ]
            for (name, frames) in floods {
                let connection = try await StreamedConnection(server.port)
                await connection.send(frames)
                // It returns because the server closes.
                let heard = await connection.frames()
                #expect(heard.contains { $0.kind == .goAway && $0.error != 0 }, "\(name)")
                #expect(try await isHealthy(server), "\(name)")
            }
            let watcher = try await SecureConnection(server.port)
            while try await watcher.metric("triptych_requests_in_flight") > 1 {}
        }
    }

    @Test("a connection without streams is closed, whatever else it sends", arguments: [false, true])
    func idle(sendsHead: Bool) async throws {
        try await run({ $0.limits.idleSeconds = 1 }) { server in
            let connection = try await StreamedConnection(server.port)
            await connection.send([Frame(kind: .ping, payload: Data(count: 8))])
            if sendsHead { await connection.send([Frame(kind: .headers, stream: 1, payload: Data([0x82]))]) }
            // It returns because the server closes.
            #expect(await connection.frames().contains { $0.kind == .goAway && $0.error == 0 })
        }
    }

    @Test("the server ends after what is under way, and says which streams it has seen")
    func ending() async throws {
        let (encodings, encoding) = AsyncStream.makeStream(of: Void.self)
        let (shutDowns, shutDown) = AsyncStream.makeStream(of: Void.self)
        let encoder = BrightnessEncoder {
            encoding.yield()
            for await _ in shutDowns { break }
        }
        try await run(encoder: encoder) { server in
            let idle = try await StreamedConnection(server.port)
            await idle.send([.request(1, "GET", "/healthz")])
            #expect(try await idle.answer(1).status == 200)
            let connection = try await StreamedConnection(server.port)
            await connection.send(try embedding(1))
            for await _ in encodings { break }
            await server.shutDown()
            let farewell = await connection.frames { $0.contains { $0.kind == .goAway } }
            #expect(farewell.last { $0.kind == .goAway }?.payload.prefix(8) == Frame.number(1) + Frame.number(0))
            shutDown.yield()
            let frames = await connection.frames { $0.contains { $0.stream == 1 && $0.isEnd } }
            #expect(frames.contains { $0.stream == 1 && $0.isEnd })
            #expect(await idle.frames().contains { $0.kind == .goAway })
            for await _ in server.ends {}
        }
    }

    @Test("for one more connection than there may be, an idle one is closed, not one with a stream that is answered")
    func connections() async throws {
        let (encodings, encoding) = AsyncStream.makeStream(of: Void.self)
        let (releases, release) = AsyncStream.makeStream(of: Void.self)
        let encoder = BrightnessEncoder {
            encoding.yield()
            for await _ in releases { break }
        }
        try await run(
            {
                ($0.limits.requestsInFlight, $0.limits.uploads, $0.limits.eventStreams) = (2, 1, 1)
                $0.limits.connections = 5
            }, encoder: encoder
        ) { server in
            let working = try await StreamedConnection(server.port)
            await working.send(try embedding(1))
            for await _ in encodings { break }
            for _ in 0..<10 { #expect(try await isHealthy(server)) }
            let idle = try await StreamedConnection(server.port)
            let later = (0..<10).map { _ in RawConnection(server.port) }
            _ = await idle.frames()
            release.yield()
            #expect(try await working.answer(1).status == 200)
            withExtendedLifetime(later) {}
        }
    }
}
