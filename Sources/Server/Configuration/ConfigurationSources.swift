import Documents
import Foundation

/// Where a configuration is read from: its defaults, then a file, then the environment, then options; what comes later comes
/// before what came earlier. It can be read again.
public struct ConfigurationSources: Sendable {
    private struct Option: Sendable {
        let name: String
        let path: [String]
        let value: JSONValue
    }

    /// How the server's environment variables are called.
    package static let variables = VariableNames(prefix: "TRIPTYCH_")
    /// What has such a name and is not the server's: the client's, the build's and the tests'.
    private static let others: Set = [
        "TRIPTYCH_BINARY", "TRIPTYCH_FUZZ", "TRIPTYCH_INSTRUCTIONS", "TRIPTYCH_KEY", "TRIPTYCH_KEY_FILE",
        "TRIPTYCH_MAKE_GALLERY_FIXTURE", "TRIPTYCH_TESTS", "TRIPTYCH_TEST_ENGINE",
        "TRIPTYCH_TEST_PGVECTOR", "TRIPTYCH_URL",
    ]

    private let file: String?
    private let environment: [String: String]
    private var options: [Option] = []

    /// A YAML file, if there is one, and an environment, of which `TRIPTYCH_…` counts.
    public init(file: String?, environment: [String: String] = [:]) {
        self.file = file
        self.environment = environment.filter { $0.key.hasPrefix("TRIPTYCH_") && !Self.others.contains($0.key) }
    }

    /// Adds an option of its own, such as `--port`, if it was given.
    public mutating func set(_ option: String, _ key: String, _ value: JSONValue?) {
        guard let value else { return }
        options.append(Option(name: option, path: key.split(separator: ".").map(String.init), value: value))
    }

    /// Adds a `--set key.path=value`. Throws `ServerError.configuration`.
    public mutating func set(_ text: String) throws(ServerError) {
        do {
            guard let setting = try DocumentSetting(text) else {
                throw ServerError.configuration("--set: expected key.path=value, found \"\(text)\"")
            }
            options.append(
                Option(
                    name: "--set \(setting.path.joined(separator: "."))", path: setting.path, value: setting.value))
        } catch let error as ServerError {
            throw error
        } catch {
            throw .configuration("--set \(text): \(error)")
        }
    }

    /// Reads everything. Throws `ServerError.configuration`, naming the key, the variable or the option.
    public func read() throws(ServerError) -> ConfigurationReading {
        let (document, origins) = try merged(try document())
        let ledger = FieldLedger(origins, variables: Self.variables)
        do {
            var fields = try Fields(document, ledger: ledger)
            let configuration = try ServerConfiguration(&fields)
            return ConfigurationReading(configuration, entries: ledger.entries, known: ledger.asked)
        } catch DocumentError.invalid(let field, let expected, let found) where !ledger.isNamed(field) {
            throw .configuration(inFile(.invalid(field: field, expected: expected, found: found)))
        } catch DocumentError.unknownField(let field, let expected) where !ledger.isNamed(field) {
            throw .configuration(inFile(.unknownField(field, expected: expected)))
        } catch {
            throw .configuration("\(error)")
        }
    }

    private func inFile(_ error: DocumentError) -> String { "\(file.map { "\($0): " } ?? "")\(error)" }

    private func document() throws(ServerError) -> JSONValue {
        guard let file else { return .object([:]) }
        do {
            let document = try YAMLDocument.parse(String(contentsOfFile: file, encoding: .utf8))
            return document == .null ? .object([:]) : document
        } catch let error as DocumentError {
            throw .configuration(inFile(error))
        } catch {
            throw .configuration("\(file): \(error.localizedDescription)")
        }
    }

    /// The document under what comes before it, and what came from where.
    private func merged(
        _ document: JSONValue
    ) throws(ServerError) -> (JSONValue, [String: FieldOrigin]) {
        // Anything else than an object is refused by its reader.
        guard document.object != nil else { return (document, [:]) }
        var (merged, origins) = (document, [String: FieldOrigin]())
        func set(_ path: [String], _ value: JSONValue, _ origin: FieldOrigin, _ name: String) throws(ServerError) {
            do {
                merged = try merged.replacing(path[...], with: value, naming: name)
            } catch {
                throw ServerError.configuration("\(error)")
            }
            let place = path.joined(separator: ".")
            origins = origins.filter { !$0.key.hasPrefix(place + ".") }
            origins[place] = origin
        }
        // Sorted, a section comes before what is in it.
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) {
            let path = Self.variables.path(name) ?? []
            let canonical = Self.variables.variable(path.joined(separator: "."))
            guard canonical == name else {
                throw ServerError.configuration("unknown variable \(name), expected \(canonical)")
            }
            try set(path, .string(text), .variable(name), name)
        }
        for option in options { try set(option.path, option.value, .option(option.name), option.name) }
        return (merged, origins)
    }
}

/// A configuration that was read, and where its values came from.
public struct ConfigurationReading: Sendable {
    /// What it says.
    public let configuration: ServerConfiguration
    /// Every value, in the order of the reader.
    package let entries: [FieldLedger.Entry]
    /// The paths of all keys there are.
    package let known: Set<String>

    init(_ configuration: ServerConfiguration, entries: [FieldLedger.Entry], known: Set<String>) {
        (self.configuration, self.entries, self.known) = (configuration, entries, known)
    }

    /// By path.
    var values: [String: JSONValue] { Dictionary(entries.map { ($0.path, $0.value) }) { $1 } }

    /// The whole as YAML, defaults included, with where each value comes from that is none.
    public var report: String {
        var (lines, section) = ([String](), [Substring]())
        for entry in entries {
            let path = entry.path.split(separator: ".")
            let shared = zip(section, path.dropLast()).prefix { $0 == $1 }.count
            section = Array(path.dropLast())
            for depth in shared..<section.count { lines.append(indent(depth) + section[depth] + ":") }
            lines.append("\(indent(section.count))\(path.last ?? ""): \(text(entry.value))\(comment(entry.origin))")
        }
        return lines.joined(separator: "\n")
    }

    private func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

    /// JSON is YAML too, on one line. No value that was read is a number that JSON cannot hold.
    private func text(_ value: JSONValue) -> String { (try? value.canonicalText()) ?? value.summary }

    private func comment(_ origin: FieldOrigin) -> String {
        switch origin {
        case .standard: ""
        case .document: "  # file"
        case .variable(let name): "  # environment: \(name)"
        case .option(let name): "  # option: \(name)"
        }
    }
}
