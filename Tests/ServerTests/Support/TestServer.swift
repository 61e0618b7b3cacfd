import DatabaseFixtures
import Documents
import Foundation
import FoundationNetworking
import Gallery
import Inference
import Logging
import Server
import ServiceLifecycle
import ServingFixtures
import Synchronization
import Testing

extension RawConnection.Answer {
    /// As the test client's.
    var asAnswer: TestServer.Answer { TestServer.Answer(status: status, headers: headers, data: body) }
}

/// Keeps what is logged.
final class TestLog: LogHandler {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .error }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        kept.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
    }
}

/// A server on a free port with a gallery of its own, for the duration of a test.
struct TestServer {
    let port: Int
    /// As `METHOD /path/{parameter}`.
    let routes: [String]
    /// The models' folder.
    let models: String
    /// Finishes when the server has ended.
    let ends: AsyncStream<Void>
    /// Asks the server to end, as SIGTERM does.
    let shutDown: @Sendable () async -> Void
    /// Gives it another configuration, as SIGHUP does.
    let adopt: @Sendable (ServerConfiguration) throws -> ServerConfiguration

    /// An answer, its JSON decoded if it is JSON.
    struct Answer {
        let status: Int
        let headers: [String: String]
        let data: Data

        var json: JSONValue { (try? JSONDecoder().decode(JSONValue.self, from: data)) ?? .null }
        /// The last part of a problem's type.
        var problem: String? { json["type"]?.string.map { String($0.split(separator: ":").last ?? "") } }
    }

    /// Starts a server, hands it to `body`, and stops it.
    ///
    /// - Parameter database: one that it shares with others; by default, one of its own.
    static func run(
        on engine: DatabaseEngine = .one, sharing database: String? = nil,
        _ configure: (inout ServerConfiguration) -> Void = { _ in },
        encoder: any TripleEncoder = BrightnessEncoder(),
        log: TestLog? = nil, logger given: Logger? = nil,
        preparing prepare: (_ database: String) async throws -> Void = { _ in },
        _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("triptych-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.hosts = ["a"]
        configuration.models = folder.appendingPathComponent("models").path
        configure(&configuration)
        let models = configuration.modelsFolder
        let handler: any LogHandler = log ?? StreamLogHandler.standardError(label: "test")
        var logger = given ?? Logger(label: "test") { _ in handler }
        if given == nil { logger.logLevel = log == nil ? Logger.Level.critical : .error }
        let path =
            try database
            ?? (engine == .sqlite
                ? folder.appendingPathComponent("gallery.sqlite").path
                : PostgreSQLServer.makeDatabase(withVectors: engine == .pgvector))
        try await prepare(path)
        var options = GalleryConfiguration()
        if engine == .pgvector { options.index = .pgvector }
        if let cluster = configuration.cluster {
            configuration.database = path
            (options.sharing, options.serverName) = (true, cluster.name)
        }
        let gallery = try await GalleryStore.open(path: path, configuration: options)
        let server = try await TriptychServer(
            configuration: configuration, encoder: encoder, gallery: gallery, logger: logger)
        let (ports, listening) = AsyncStream.makeStream(of: Int.self)
        let (ends, ended) = AsyncStream.makeStream(of: Void.self)
        let services = ServiceGroup(
            services: [Running(server: server, running: { listening.yield($0) })], logger: logger)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                defer { ended.finish() }
                try await services.run()
                return false
            }
            group.addTask {
                for await port in ports {
                    try await body(
                        TestServer(
                            port: port, routes: server.routes, models: models, ends: ends,
                            shutDown: { await services.triggerGracefulShutdown() }, adopt: server.adopt))
                    break
                }
                return true
            }
            // Until the test has ended, or a server that did not start has thrown.
            for try await isTest in group where isTest { break }
            group.cancelAll()
        }
    }

    /// A server as what a group of services runs.
    private struct Running: Service {
        let server: TriptychServer
        let running: @Sendable (Int) -> Void

        func run() async throws { try await server.run(signals: false) { running($0) } }
    }

    func send(
        _ method: String, _ path: String, body: Data? = nil, type: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        request.httpMethod = method
        request.httpBody = body
        if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let pairs = http.allHeaderFields.compactMap { key, value -> (String, String)? in
            ("\(key)".lowercased(), "\(value)")
        }
        let answer = Answer(status: http.statusCode, headers: Dictionary(pairs) { $1 }, data: data)
        try Contract.check(method, path, answer)
        return answer
    }

    func sendJSON(_ method: String, _ path: String, _ json: String) async throws -> Answer {
        try await send(method, path, body: Data(json.utf8), type: "application/json")
    }

    /// Sends files and options as a form.
    func sendForm(
        _ path: String, _ files: [String: Data], options: String? = nil, headers: [String: String] = [:]
    ) async throws -> Answer {
        var body = Data()
        for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
            body += Data("--xyz\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"f\"\r\n\r\n".utf8)
            body += bytes + Data("\r\n".utf8)
        }
        if let options {
            body += Data("--xyz\r\nContent-Disposition: form-data; name=\"options\"\r\n\r\n\(options)\r\n".utf8)
        }
        body += Data("--xyz--\r\n".utf8)
        return try await send(
            "POST", path, body: body, type: "multipart/form-data; boundary=xyz", headers: headers)
    }
}
