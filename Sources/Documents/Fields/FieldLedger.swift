import Synchronization

/// Where the value of a field came from.
package enum FieldOrigin: Sendable, Equatable {
    /// Nobody said anything.
    case standard
    /// The document.
    case document
    /// An environment variable, by its name.
    case variable(String)
    /// An option of a command, such as `--port`.
    case option(String)
}

/// Says which values of a document came from elsewhere, and notes what is read of it: shared by all `Fields` of one document.
package final class FieldLedger: Sendable {
    /// One value that was read, or the default in its place; `null` for none.
    package struct Entry: Sendable, Equatable {
        /// Such as `limits.body_bytes`.
        package let path: String
        package let value: JSONValue
        package let origin: FieldOrigin
    }

    private struct Notes {
        var entries: [Entry] = []
        var asked: Set<String> = []
    }

    private let notes = Mutex(Notes())
    /// By path.
    private let origins: [String: FieldOrigin]
    private let variables: VariableNames

    /// With what did not come from the document itself, by path.
    package init(_ origins: [String: FieldOrigin] = [:], variables: VariableNames) {
        (self.origins, self.variables) = (origins, variables)
    }

    /// What was read, in this order.
    package var entries: [Entry] { notes.withLock(\.entries) }

    /// The paths of all fields that were asked for, sections aside, whether they are there or not.
    package var asked: Set<String> { notes.withLock(\.asked) }

    /// Whether a field is named by where it came from instead of by its path.
    package func isNamed(_ name: String) -> Bool { origins.values.contains { Self.name($0) == name } }

    func ask(_ path: String) { notes.withLock { _ = $0.asked.insert(path) } }

    /// Notes what was read.
    func note(_ path: String, _ value: JSONValue) {
        note(Entry(path: path, value: value, origin: origin(path) ?? .document))
    }

    /// Notes what is there while nobody says anything.
    func noteDefault(_ path: String, _ value: JSONValue) {
        note(Entry(path: path, value: value, origin: .standard))
    }

    private func note(_ entry: Entry) { notes.withLock { $0.entries.append(entry) } }

    /// Whether it was given as text, of whatever kind it is to be.
    func isText(_ path: String) -> Bool {
        if case .variable = origins[path] { true } else { false }
    }

    /// What a field, or one within it, is called where it was given; nil if the document has it.
    func name(of path: String) -> String? { origin(path).flatMap(Self.name) }

    /// What another field would be called there.
    func name(of path: String, beside stranger: String) -> String {
        if case .variable = origin(stranger) { variables.variable(path) } else { path }
    }

    /// A value may be given as a whole, or a part of it.
    private func origin(_ path: String) -> FieldOrigin? {
        if let origin = origins[path] { return origin }
        let within = origins.filter { $0.key.hasPrefix(path + ".") || path.hasPrefix($0.key + ".") }
        return within.min { $0.key < $1.key }?.value
    }

    private static func name(_ origin: FieldOrigin) -> String? {
        switch origin {
        case .standard, .document: nil
        case .variable(let name), .option(let name): name
        }
    }
}

/// How environment variables are called that stand for fields: a prefix, the path in capitals, and `__` between its parts.
package struct VariableNames: Sendable {
    private let prefix: String

    package init(prefix: String) { self.prefix = prefix }

    /// Of a field, by its path.
    package func variable(_ path: String) -> String { prefix + path.uppercased().replacing(".", with: "__") }

    /// The path's parts; nil for a variable that stands for no field.
    package func path(_ variable: String) -> [String]? {
        guard variable.hasPrefix(prefix) else { return nil }
        let parts = variable.dropFirst(prefix.count).split(separator: "__", omittingEmptySubsequences: false)
        return parts.map { $0.lowercased() }
    }
}

extension JSONValue {
    /// What a text may mean, for a reader that knows what it expects: itself, a value in YAML, or a list with commas.
    var meanings: [JSONValue] {
        guard let text = string else { return [self] }
        let elements = text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false)
        let texts = elements.map { JSONValue.string(String($0.trimmingPrefix { $0 == " " })) }
        return [self, Self.yaml(self), .array(texts), .array(texts.map(Self.yaml))]
    }

    private static func yaml(_ value: JSONValue) -> JSONValue {
        (try? YAMLDocument.parse(value.string ?? "")) ?? value
    }
}

/// A value as a document has it.
package protocol DocumentValue {
    var documentValue: JSONValue { get }
}

extension String: DocumentValue { package var documentValue: JSONValue { .string(self) } }
extension Bool: DocumentValue { package var documentValue: JSONValue { .bool(self) } }
extension Int: DocumentValue { package var documentValue: JSONValue { .integer(self) } }
extension Double: DocumentValue { package var documentValue: JSONValue { .number(self) } }
extension Array: DocumentValue where Element: DocumentValue {
    package var documentValue: JSONValue { .array(map(\.documentValue)) }
}
