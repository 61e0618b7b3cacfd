import Documents
import Foundation
import Logging
import Server
import ServingFixtures
import Synchronization
import Testing

/// The lines of a log in JSON, and a logger for it.
final class JSONLog: Sendable {
    private let text = Mutex("")

    var lines: [JSONValue] {
        text.withLock { $0 }.split(separator: "\n").compactMap {
            try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
        }
    }
    /// All of it, as it was written.
    var whole: String { text.withLock { $0 } }
    /// Of requests.
    var requests: [JSONValue] { lines.filter { $0["message"]?.string == "request" } }

    var logger: Logger {
        Logger(label: "test") { label in
            JSONLogHandler(label: label) { [self] line in text.withLock { $0 += line } }
        }
    }
}

@Suite("Logging")
struct LogTests {
    @Test("a line of JSON holds whatever it is told, and stays a line")
    func json() throws {
        let log = JSONLog()
        var logger = log.logger
        logger[metadataKey: "key"] = "a"
        logger.info(
            "quote \" slash \\ line \n bell \u{7} ü",
            metadata: [
                "count": .stringConvertible(3), "ms": .stringConvertible(1.5), "list": ["x", "y"], "map": ["k": "v"],
            ])
        logger.debug("too little")
        #expect(log.lines.count == 1)
        let line = try #require(log.lines.first)
        #expect(line["message"]?.string == "quote \" slash \\ line \n bell \u{7} ü")
        #expect(line["level"]?.string == "info" && line["logger"]?.string == "test" && line["key"]?.string == "a")
        #expect(line["count"]?.integer == 3 && line["ms"]?.number == 1.5)
        #expect(line["list"]?.array?.compactMap(\.string) == ["x", "y"] && line["map"]?["k"]?.string == "v")
    }

    @Test("a request's line has its route's template and its sizes, and names nobody")
    func access() async throws {
        let log = JSONLog()
        try await TestServer.run(logger: log.logger) { server in
            let body = Data(#"{"name": "secret-lot"}"#.utf8)
            _ = try await server.send("POST", "/v1/galleries", body: body, type: "application/json")
            _ = try await server.sendForm(
                "/v1/galleries/secret-lot/identities/secret-car/sightings", ["rgb": picture(1)],
                options: #"{"camera": "secret-gate"}"#)
            let answer = try await server.send(
                "GET", "/v1/galleries/secret-lot",
                headers: [
                    "X-Request-Id": "r-1", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
                ])
            let made = try #require(log.requests.first)
            #expect(made["method"]?.string == "POST" && made["status"]?.integer == 201)
            #expect(made["bytes_in"]?.integer == body.count && made["trace_id"]?.string?.count == 32)
            let read = try #require(log.requests.last)
            #expect(read["route"]?.string == "/v1/galleries/{gallery}" && read["request_id"]?.string == "r-1")
            #expect(read["bytes_in"]?.integer == 0 && read["bytes_out"]?.integer == answer.data.count)
            #expect(read["duration_ms"]?.number ?? 0 > 0 && read["key"] == nil)
            #expect(read["trace_id"]?.string == "0af7651916cd43dd8448eb211c80319c")
            #expect(answer.headers["traceparent"] == nil)
        }
        #expect(log.requests.count == 3)
        #expect(!log.whole.contains("secret"))
    }

    @Test("an answer whose length is not known before is counted, and its key named without its secret")
    func streamed() async throws {
        let log = JSONLog()
        try await TestServer.run(logger: log.logger) { server in
            let admin = try await server.key("admin")
            _ = try await server.send("POST", "/v1/galleries", key: admin, json: #"{"name": "lot"}"#)
            _ = try await server.send(
                "POST", "/v1/galleries/lot/identities", key: admin, json: #"{"id": "car"}"#)
            var headers = TestServer.authorization(admin)
            headers["Accept-Encoding"] = "identity"
            let export = try await server.send("GET", "/v1/galleries/lot/export", headers: headers)
            let line = try #require(log.requests.last)
            #expect(line["route"]?.string == "/v1/galleries/{gallery}/export")
            #expect(line["bytes_out"]?.integer == export.data.count)
            let key = try #require(line["key"]?.string)
            #expect(admin.contains(key))
            let secret = try #require(admin.split(separator: "_").last)
            #expect(!log.whole.contains(secret))
        }
    }

    @Test("what is refused by its head has a line too, and none has where that is not wanted")
    func refused() async throws {
        let log = JSONLog()
        try await TestServer.run(logger: log.logger) { server in
            let connection = RawConnection(server.port)
            await connection.send("POST /v1/embeddings HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999\r\n\r\n")
            let identifier = await connection.answers().first?.headers["x-request-id"]
            #expect(log.requests.first?["request_id"]?.string == identifier)
            #expect(log.requests.first?["status"]?.integer == 413)
        }
        let silent = JSONLog()
        try await TestServer.run({ $0.log.access = false }, logger: silent.logger) { server in
            _ = try await server.send("GET", "/healthz")
        }
        #expect(silent.requests.isEmpty)
    }

    @Test("a probe that succeeds is of level debug, one that fails of level info as any request")
    func probes() async throws {
        let log = JSONLog()
        var logger = log.logger
        logger.logLevel = .debug
        try await TestServer.run(logger: logger) { server in
            _ = try await server.send("GET", "/healthz")
            _ = try await server.send("HEAD", "/readyz")
            _ = try await server.send("GET", "/v1/galleries")
            let stranger = RawConnection(server.port)
            await stranger.send("GET /readyz HTTP/1.1\r\nHost: b\r\n\r\n")
            #expect(await stranger.answers().first?.status == 403)
        }
        let told = log.requests.map { "\($0["level"]?.string ?? "") \($0["route"]?.string ?? "")" }
        #expect(told == ["debug /healthz", "debug /readyz", "info /v1/galleries", "info /readyz"])
    }

    @Test("the configuration says how it is logged and where spans go, or what is wrong with that")
    func configuration() throws {
        func read(_ yaml: String) throws -> ServerConfiguration {
            let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).yaml")
            try Data(yaml.utf8).write(to: file)
            defer { try? FileManager.default.removeItem(at: file) }
            return try ServerConfiguration(path: file.path)
        }
        let settings = try read(
            "log: {format: json, level: warning, access: false}\ntracing: {endpoint: 'http://c:4318/v1/traces', sample: 1}"
        )
        #expect(settings.log.format == .json && settings.log.level == .warning && !settings.log.access)
        #expect(settings.tracing?.endpoint == "http://c:4318/v1/traces" && settings.tracing?.sample == 1)
        #expect(try read("").tracing == nil)
        for (wrong, field) in [
            ("log: {format: xml}", "log.format"), ("log: {level: loud}", "log.level"),
            ("tracing: {endpoint: collector}", "tracing.endpoint"), ("tracing: {sample: 1}", "tracing.endpoint"),
            ("tracing: {endpoint: 'http://c/', sample: 2}", "tracing.sample"),
        ] {
            let error = #expect(throws: ServerError.self) { try read(wrong) }
            #expect(error.map { "\($0)".contains(field) } == true, "\(wrong)")
        }
    }
}
