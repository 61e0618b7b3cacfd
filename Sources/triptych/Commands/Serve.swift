import ArgumentParser
import Foundation
import Logging
import Server

/// `triptych serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answers HTTP requests with a model and a gallery.",
        discussion: """
            Options given here come before those of the configuration file; deploy/triptych.yaml shows every one. Ends on \
            SIGTERM or Control-C after answering what is under way. An enrolment that was answered has been committed.
            """)

    @Option(help: "A YAML file.")
    var config: String?
    @Option(help: "The model to begin with; once another was activated, that one answers.")
    var checkpoint: String?
    @Option(help: "The gallery's SQLite file; made if it does not exist.")
    var database: String?
    @Option(help: "The address to listen on (default: 127.0.0.1).")
    var host: String?
    @Option(help: "The port to listen on (default: 8080); 0 takes any that is free.")
    var port: Int?
    @Option(help: "trace, debug, info, notice, warning, error or critical (default: info).")
    var logLevel: String?

    private func settings() throws -> ServerConfiguration {
        var settings = try config.map(ServerConfiguration.init(path:)) ?? ServerConfiguration()
        settings.checkpoint = checkpoint ?? settings.checkpoint
        settings.database = database ?? settings.database
        settings.host = host ?? settings.host
        settings.port = port ?? settings.port
        guard (0...65535).contains(settings.port) else {
            throw ValidationError("--port: expected 0 to 65535, found \(settings.port)")
        }
        if let logLevel {
            guard let level = Logger.Level(rawValue: logLevel) else {
                throw ValidationError("--log-level: expected a level such as info, found \(logLevel)")
            }
            settings.log.level = level
        }
        return settings
    }

    func run() async throws {
        SleepingThreads.require()
        let settings = try settings()
        switch settings.log.format {
        case .text: LoggingSystem.bootstrap(StreamLogHandler.standardError)
        case .json: LoggingSystem.bootstrap(JSONLogHandler.init)
        }
        var logger = Logger(label: "triptych")
        logger.logLevel = settings.log.level
        for warning in settings.warnings { logger.warning("\(warning)") }
        let server = try await TriptychServer.opened(settings, logger: logger)
        let ready = logger
        try await server.run { port in
            ready.info(
                "listening on \(settings.tls == nil ? "http" : "https")://\(settings.host):\(port)",
                metadata: ["model": "\(server.model)", "database": "\(settings.database)"])
        }
    }
}
