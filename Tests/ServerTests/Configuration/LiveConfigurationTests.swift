import Server
import Testing

@Suite("Configuration that changes while the server runs")
struct LiveConfigurationTests {
    @Test("names, origins and rates are those of the configuration that was adopted last")
    func adopted() async throws {
        try await TestServer.run { server in
            let admin = try await server.key("admin")
            func status(_ headers: [String: String], _ host: String = "a") async -> Int? {
                var request = "GET /v1/galleries HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n"
                for (name, value) in headers.merging(["Authorization": "Bearer \(admin)"], uniquingKeysWith: { $1 }) {
                    request += "\(name): \(value)\r\n"
                }
                let connection = RawConnection(server.port)
                await connection.send(request + "\r\n")
                return await connection.answers().first?.status
            }
            let board = ["Origin": "https://board.example"]
            #expect(await status([:], "gate.example") == 403)
            #expect(await status(board) == 403)
            var next = ServerConfiguration()
            (next.hosts, next.origins, next.limits.requestsPerMinute) = (
                ["a", "Gate.example"], board.values.sorted(), 500
            )
            next.limits.bodyBytes = 1
            let adopted = try server.adopt(next)
            #expect(adopted.hosts == next.hosts && adopted.limits.bodyBytes == ServerConfiguration().limits.bodyBytes)
            #expect(await status([:], "gate.example") == 200)
            #expect(await status(board) == 200)
            let answer = try await server.send(
                "GET", "/v1/galleries", headers: board.merging(TestServer.authorization(admin)) { $1 })
            #expect(answer.headers["access-control-allow-origin"] == "https://board.example")
            #expect(answer.headers["ratelimit-policy"] == "\"key\";q=500;w=60")
            _ = try server.adopt(ServerConfiguration())
            #expect(await status(board) == 403)
        }
    }

    @Test("what contradicts what stays is refused whole")
    func refused() throws {
        let live = LiveConfiguration(ServerConfiguration())
        var next = ServerConfiguration()
        (next.hosts, next.limits.requestsInFlight, next.limits.connections) = (["a"], 2000, 4000)
        #expect(throws: ServerError.self) { try live.adopt(next) }
        #expect(live.configuration == ServerConfiguration())
        next.limits.requestsInFlight = 100
        try live.adopt(next)
        #expect(
            live.configuration.hosts == ["a"] && live.limits.requestsInFlight == 100 && live.limits.connections == 512)
    }
}
