import ArgumentParser
import Documents
import Foundation
import Logging
import Server

/// `triptych serve`.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Answers HTTP requests with a model and a gallery.",
        discussion: """
            Options given here come before the environment, and that before the configuration file; deploy/triptych.yaml \
            shows every key. In the environment limits.body_bytes is TRIPTYCH_LIMITS__BODY_BYTES. SIGHUP has the server \
            read all of it again. Ends on SIGTERM or Control-C after answering what is under way. An enrolment that was \
            answered has been committed.
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
    @Option(help: "Multiply float32 weights in float32 or in bf16 (default: float32).")
    var precision: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical (default: info).")
    var logLevel: String?
    @Option(
        name: .customLong("set"), help: "Any key of the configuration: key.path=value. May be given more than once.")
    var settings: [String] = []
    @Flag(help: "Print the configuration that a start would have, and what of it comes from where; start nothing.")
    var checkConfig = false

    private func sources() throws -> ConfigurationSources {
        var sources = ConfigurationSources(file: config, environment: ProcessInfo.processInfo.environment)
        for setting in settings { try sources.set(setting) }
        sources.set("--checkpoint", "checkpoint", checkpoint.map(JSONValue.string))
        sources.set("--database", "database", database.map(JSONValue.string))
        sources.set("--host", "host", host.map(JSONValue.string))
        sources.set("--port", "port", port.map(JSONValue.integer))
        sources.set("--precision", "precision", precision.map(JSONValue.string))
        sources.set("--log-level", "log.level", logLevel.map(JSONValue.string))
        return sources
    }

    func run() async throws {
        if !checkConfig { SleepingThreads.require() }
        let sources = try sources()
        let reading = try sources.read()
        let settings = reading.configuration
        let level = LogLevel(settings.log.level)
        let isJSON = settings.log.format == .json
        LoggingSystem.bootstrap { label in
            level.handler(isJSON ? JSONLogHandler(label: label) : StreamLogHandler.standardError(label: label))
        }
        let logger = Logger(label: "triptych")
        for warning in settings.warnings { logger.warning("\(warning)") }
        if checkConfig {
            try settings.check(logger)
            print(reading.report)
            return
        }
        let reloader = await ConfigurationReloader(sources, startedWith: reading, level: level, logger: logger)
        let server = try await TriptychServer.opened(settings, logger: logger)
        try await server.run(reloader: reloader) { port in
            logger.info(
                "listening on \(settings.tls == nil ? "http" : "https")://\(settings.host):\(port)",
                metadata: ["model": "\(server.model)", "database": "\(settings.database)"])
        }
    }
}
