import Documents
import Foundation
import Inference
import Yams

/// A recipe's YAML as a tree: settings can be changed by path, and reading says where a value is wrong.
struct RecipeDocument {
    private(set) var root: JSONValue

    /// Reads YAML. Throws `RecipeError.unreadable`.
    init(yaml: String, path: String) throws(RecipeError) {
        do {
            root = Self.value(try Yams.compose(yaml: yaml))
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
    }

    /// Changes one value, `key.path=value` with the value in YAML and list elements by index, as in `stages.0.steps=10`.
    mutating func set(_ setting: String) throws(RecipeError) {
        guard let split = setting.firstIndex(of: "="), split > setting.startIndex else {
            throw .unreadableSetting(setting)
        }
        let keys = setting[..<split].split(separator: ".").map(String.init)
        let text = String(setting[setting.index(after: split)...])
        let value = try RecipeDocument(yaml: text, path: setting).root
        root = try Self.replacing(root, keys[...], with: value, setting)
    }

    private static func replacing(
        _ tree: JSONValue, _ keys: ArraySlice<String>, with value: JSONValue, _ setting: String
    ) throws(RecipeError) -> JSONValue {
        guard let key = keys.first else { return value }
        if var elements = tree.array {
            guard let index = Int(key), elements.indices.contains(index) else {
                throw .invalid(field: setting, expected: "an index below \(elements.count)", found: key)
            }
            elements[index] = try replacing(elements[index], keys.dropFirst(), with: value, setting)
            return .array(elements)
        }
        var members = tree.object ?? [:]
        members[key] = try replacing(members[key] ?? .object([:]), keys.dropFirst(), with: value, setting)
        return .object(members)
    }

    /// The tree as YAML. Throws `RecipeError.unreadable`.
    func yaml(path: String) throws(RecipeError) -> String {
        do {
            return try Yams.serialize(node: try Self.node(root), sortKeys: true)
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
    }

    private static func node(_ value: JSONValue) throws -> Node {
        switch value {
        case .object(let members): try Node(members.map { (Node($0.key), try node($0.value)) })
        case .array(let elements): try Node(elements.map(node))
        case .string(let text): try text.represented()
        case .integer(let whole): try whole.represented()
        // YAML 1.1 wants a point before an exponent.
        case .number(let number):
            Node("\(number)".replacing(/^(-?\d+)e/, with: { "\($0.output.1).0e" }), Tag(.float))
        case .bool(let truth): try truth.represented()
        case .null: Node("null", Tag(.null))
        }
    }

    private static func value(_ node: Node?) -> JSONValue {
        switch node {
        case .mapping(let mapping):
            .object(
                Dictionary(mapping.map { ($0.key.string ?? "", value($0.value)) }, uniquingKeysWith: { $1 }))
        case .sequence(let sequence): .array(sequence.map { value($0) })
        case .some(let scalar): Self.scalar(scalar)
        case nil: .null
        }
    }

    private static func scalar(_ node: Node) -> JSONValue {
        if node.null != nil { return .null }
        if let whole = node.int { return .integer(whole) }
        if let number = node.float { return .number(number) }
        if let truth = node.bool { return .bool(truth) }
        return .string(node.string ?? "")
    }
}

/// A mapping of a recipe that is being read; `finish` refuses the keys that nobody asked for.
struct RecipeSection {
    private let members: [String: JSONValue]
    private let path: String
    private var asked: Set<String> = []

    init(_ value: JSONValue?, _ path: String) throws(RecipeError) {
        guard let members = (value ?? .object([:])).object else {
            throw .invalid(field: path, expected: "a mapping", found: Self.text(value))
        }
        self.members = members
        self.path = path
    }

    mutating func value(_ key: String) -> JSONValue? {
        asked.insert(key)
        return members[key]
    }

    mutating func section(_ key: String) throws(RecipeError) -> RecipeSection {
        try RecipeSection(value(key), field(key))
    }

    mutating func whole(_ key: String, _ range: ClosedRange<Int>, default fallback: Int? = nil) throws(RecipeError)
        -> Int
    {
        let found = value(key)
        if found == nil, let fallback { return fallback }
        guard let number = found?.integer, range.contains(number) else {
            throw .invalid(
                field: field(key), expected: "a whole number in \(range.lowerBound)...\(range.upperBound)",
                found: Self.text(found))
        }
        return number
    }

    mutating func number(
        _ key: String, _ range: ClosedRange<Double>, default fallback: Double? = nil
    ) throws(RecipeError) -> Double {
        let found = value(key)
        if found == nil, let fallback { return fallback }
        guard let number = found?.number, range.contains(number) else {
            throw .invalid(
                field: field(key), expected: "a number in \(range.lowerBound)...\(range.upperBound)",
                found: Self.text(found))
        }
        return number
    }

    mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Choice
    ) throws(RecipeError) -> Choice where Choice.RawValue == String {
        guard let found = value(key) else { return fallback }
        guard let text = found.string, let choice = Choice(rawValue: text) else {
            throw .invalid(
                field: field(key), expected: "one of \(Choice.allCases.map(\.rawValue).joined(separator: ", "))",
                found: Self.text(found))
        }
        return choice
    }

    mutating func strings(_ key: String) throws(RecipeError) -> [String] {
        guard let found = value(key) else { return [] }
        guard let elements = found.array, elements.allSatisfy({ $0.string != nil }) else {
            throw .invalid(field: field(key), expected: "a list of names", found: Self.text(found))
        }
        return elements.compactMap(\.string)
    }

    /// Throws `RecipeError.unknownKey` for a key that was not asked for.
    func finish() throws(RecipeError) {
        if let unknown = members.keys.sorted().first(where: { !asked.contains($0) }) {
            throw .unknownKey(field(unknown), expected: asked.sorted())
        }
    }

    func field(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    static func text(_ value: JSONValue?) -> String {
        guard let value, let data = try? JSONEncoder().encode(value) else { return "nothing" }
        return String(decoding: data, as: UTF8.self)
    }
}
