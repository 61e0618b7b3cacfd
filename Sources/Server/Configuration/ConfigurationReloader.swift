import Documents
import Logging
import ServiceLifecycle
import Serving
import UnixSignals

/// Reads the configuration again at SIGHUP, and takes over what may change while the server runs.
public final class ConfigurationReloader: Sendable {
    private let sources: ConfigurationSources
    private let level: LogLevel
    private let logger: Logger
    private let signals: UnixSignalsSequence
    /// Every value in force, by path.
    private let inForce: Live<[String: JSONValue]>

    /// From now on SIGHUP does not end the process; what comes before the server serves is obeyed when it does.
    ///
    /// - Parameters:
    ///   - sources: where to read it again.
    ///   - reading: what the server is started with.
    ///   - level: of the log.
    ///   - logger: told what was taken over, and what was not.
    public init(
        _ sources: ConfigurationSources, startedWith reading: ConfigurationReading, level: LogLevel, logger: Logger
    ) async {
        (self.sources, self.level, self.logger) = (sources, level, logger)
        inForce = Live(reading.values)
        signals = await UnixSignalsSequence(trapping: .sighup)
    }

    /// Reloads at each signal, until the server is to end.
    func run(_ adopt: @Sendable (ServerConfiguration) throws -> ServerConfiguration) async {
        for await _ in signals.cancelOnGracefulShutdown() { reload(adopt) }
    }

    /// Reads everything again. What cannot be read or used leaves everything as it was.
    private func reload(_ adopt: (ServerConfiguration) throws -> ServerConfiguration) {
        do {
            let reading = try sources.read()
            let old = inForce.current
            let new = reading.values
            let changed = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
            let taken = changed.filter(LiveKey.paths.contains)
            let others = changed.filter { !LiveKey.paths.contains($0) }
            level.set(try adopt(reading.configuration).log.level)
            inForce.set(old.filter { !taken.contains($0.key) }.merging(new.filter { taken.contains($0.key) }) { $1 })
            for warning in reading.configuration.warnings { logger.warning("\(warning)") }
            if !others.isEmpty {
                logger.warning(
                    "the configuration has changed where a restart is needed",
                    metadata: ["keys": "\(others.joined(separator: ", "))"])
            }
            logger.notice("reloaded the configuration", metadata: ["changed": "\(taken.joined(separator: ", "))"])
        } catch {
            logger.error("the configuration was not reloaded: what is in force stays", metadata: ["error": "\(error)"])
        }
    }
}

/// The level of a process's log, which may change while it runs.
public final class LogLevel: Sendable {
    private let level: Live<Logger.Level>

    /// Begins with a level.
    public init(_ level: Logger.Level) { self.level = Live(level) }

    /// As it is now.
    public var current: Logger.Level { level.current }

    func set(_ level: Logger.Level) { self.level.set(level) }

    /// A handler that writes what this level lets through, and another handler writes.
    public func handler(_ base: any LogHandler) -> any LogHandler { LevelledLogHandler(base: base, level: self) }
}

/// Its loggers have no level of their own: they are copied into everything that logs.
private struct LevelledLogHandler: LogHandler {
    var base: any LogHandler
    let level: LogLevel

    var logLevel: Logger.Level {
        get { level.current }
        set {}
    }
    var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }
    var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    func log(event: LogEvent) { base.log(event: event) }
}
