import Documents

/// A recipe's YAML as a tree, of which settings can be changed by path.
struct RecipeDocument {
    private(set) var root: JSONValue

    /// Reads YAML. Throws `RecipeError.unreadable`.
    init(yaml: String, path: String) throws(RecipeError) {
        do {
            root = try YAMLDocument.parse(yaml)
        } catch {
            throw .unreadable(path: path, reason: "\(error)")
        }
    }

    /// Changes one value, `key.path=value` with the value in YAML and list elements by index, as in `stages.0.steps=10`.
    ///
    /// Throws `RecipeError`, or `DocumentError.invalid` for an index that is not there.
    mutating func set(_ setting: String) throws {
        guard let split = setting.firstIndex(of: "="), split > setting.startIndex else {
            throw RecipeError.unreadableSetting(setting)
        }
        let keys = setting[..<split].split(separator: ".").map(String.init)
        let text = String(setting[setting.index(after: split)...])
        let value = try RecipeDocument(yaml: text, path: setting).root
        root = try Self.replacing(root, keys[...], with: value, setting)
    }

    private static func replacing(
        _ tree: JSONValue, _ keys: ArraySlice<String>, with value: JSONValue, _ setting: String
    ) throws(DocumentError) -> JSONValue {
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

    /// The tree as YAML. Throws `DocumentError.syntax`.
    func yaml() throws(DocumentError) -> String { try YAMLDocument.text(root) }
}

/// Why a recipe cannot be read; what is wrong with its values is a `DocumentError`.
public enum RecipeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file cannot be read or is not YAML.
    case unreadable(path: String, reason: String)
    /// A `--set` that is not `key.path=value`.
    case unreadableSetting(String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .unreadableSetting(let text): "expected key.path=value, found '\(text)'"
        }
    }
}
