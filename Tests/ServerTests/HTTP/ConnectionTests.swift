import Foundation
import Server
import Testing

@Suite("Connections")
struct ConnectionTests {
    private let health = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"

    private func isHealthy(_ server: TestServer) async -> Bool {
        let connection = RawConnection(server.port)
        await connection.send(health)
        return await connection.answers().first?.status == 200
    }

    @Test("a thousand connected clients, 64 of them asking: health is answered throughout")
    func many() async throws {
        try await TestServer.run { server in
            let idle = (0..<1000).map { _ in RawConnection(server.port) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        for _ in 0..<5 {
                            let status = try await server.send("GET", "/v1/galleries").status
                            #expect(status == 200 || status == 503)
                        }
                    }
                }
                for _ in 0..<50 { #expect(await isHealthy(server)) }
                try await group.waitForAll()
            }
            withExtendedLifetime(idle) {}
        }
    }

    @Test("when every place is taken and every connection in use, health is answered, and those at work go on")
    func busy() async throws {
        let configure: @Sendable (inout ServerConfiguration) -> Void = {
            ($0.limits.requestsInFlight, $0.limits.uploads, $0.limits.eventStreams) = (2, 1, 1)
            ($0.limits.connections, $0.limits.stallSeconds, $0.limits.bodySeconds) = (6, 3600, 3600)
        }
        try await TestServer.run(configure) { server in
            let json = #"{"name": "g"}"#
            let working = (0..<2).map { _ in RawConnection(server.port) }
            for (index, connection) in working.enumerated() {
                await connection.send(
                    "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                        + "Content-Length: \(json.utf8.count)\r\n\r\n{")
                // It has its place, beside the question.
                while try await server.metric("triptych_requests_in_flight") < Double(index + 2) {}
            }
            #expect(try await server.send("GET", "/v1/galleries").status == 503)
            var others: [RawConnection] = []
            for client in 0..<30 {
                others.append(RawConnection(server.port))
                // Silent, in the middle of a head, or refused in the middle of a body.
                let parts = ["", "GET /he", "POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n{"]
                await others[client].send(parts[client % 3])
                #expect(await isHealthy(server), "client \(client)")
            }
            var statuses: [Int] = []
            for connection in working {
                await connection.send(String(json.dropFirst()))
                statuses.append(await connection.answers().first?.status ?? 0)
            }
            #expect(statuses.sorted() == [201, 409])
        }
    }

    @Test("limits that would leave no connection for health checks are refused at the start")
    func contradiction() async throws {
        await #expect(throws: ServerError.self) {
            try await TestServer.run({ ($0.limits.connections, $0.limits.requestsInFlight) = (98, 64) }) { _ in }
        }
    }

    @Test("a connection is used again and again, also after refusals of what was asked on it")
    func keepAlive() async throws {
        try await TestServer.run { server in
            let connection = RawConnection(server.port)
            for (request, status) in [
                (health, 200), ("GET /v2 HTTP/1.1\r\nHost: a\r\n\r\n", 404),
                ("PUT /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 405),
                ("POST /v1/galleries HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 415),
                ("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", 415), (health, 200),
            ] {
                await connection.send(request)
                let answer = await connection.answers().first
                #expect(answer?.status == status && answer?.headers["connection"] != "close", "\(request)")
            }
        }
    }
}
