import Foundation
import Logging
import Serving

/// Writes a JSON object a line: `time`, `level`, `logger` and `message`, then what else is known, by name.
public struct JSONLogHandler: LogHandler {
    /// What every line says.
    public var metadata: Logger.Metadata = [:]
    /// Where from on lines are written.
    public var logLevel = Logger.Level.info
    /// Asked at each line for more.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let write: @Sendable (String) -> Void

    /// For a logger of this label; lines go to standard error, each in one call, so that they do not mix.
    public init(label: String) { self.init(label: label, write: Self.toStandardError) }

    /// The same to anywhere.
    package init(label: String, write: @escaping @Sendable (String) -> Void) {
        (self.label, self.write) = (label, write)
    }

    /// One of what every line says.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes a line.
    public func log(event: LogEvent) {
        var all = metadataProvider?.get() ?? [:]
        all.merge(metadata) { $1 }
        all.merge(event.metadata ?? [:]) { $1 }
        let own = [
            ("time", Timestamp.text(Date())), ("level", event.level.rawValue), ("logger", label),
            ("message", event.message.description),
        ]
        let fields =
            own.map { "\(Self.quoted($0)):\(Self.quoted($1))" }
            + all.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.json($0.value))" }
        write("{\(fields.joined(separator: ","))}\n")
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .stringConvertible(let value as Int): "\(value)"
        case .stringConvertible(let value as Double) where value.isFinite: "\(value)"
        case .array(let values): "[\(values.map(json).joined(separator: ","))]"
        case .dictionary(let values):
            "{\(values.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(json($0.value))" }.joined(separator: ","))}"
        default: quoted("\(value)")
        }
    }

    /// As RFC 8259, section 7, has it.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\0"..<" ", "\u{7F}":
                quoted += "\\u00" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    @Sendable private static func toStandardError(_ line: String) {
        var line = line
        line.withUTF8 { _ = Foundation.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
