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

    /// Changes one value, as `DocumentSetting` says; `null` takes it away.
    ///
    /// Throws `RecipeError`, or `DocumentError.invalid` for an index that is not there.
    mutating func set(_ text: String) throws {
        do {
            guard let setting = try DocumentSetting(text) else { throw RecipeError.unreadableSetting(text) }
            root = try setting.applied(to: root)
            if setting.value == .null { root = root.removing(setting.path[...]) }
        } catch DocumentError.syntax(let format, let reason) {
            throw RecipeError.unreadable(path: text, reason: "\(DocumentError.syntax(format, reason))")
        }
    }

    /// Throws `DocumentError.invalid` for a setting that changes nothing, as another key takes its place.
    func checkShadows(_ settings: [String]) throws(DocumentError) {
        let shadows = [(path: "model.head.dropout", by: "dropout")]
        for (path, by) in shadows {
            guard settings.contains(where: { $0.hasPrefix(path + "=") }), let value = root[by], value != .null else {
                continue
            }
            throw .invalid(
                field: path, expected: "no \(by) beside it, which takes its place: set that",
                found: "\(by): \(value.summary)")
        }
    }

    /// The tree as YAML. Throws `DocumentError.syntax`.
    func yaml() throws(DocumentError) -> String { try YAMLDocument.text(root) }
}

extension JSONValue {
    /// The tree without a member.
    fileprivate func removing(_ keys: ArraySlice<String>) -> JSONValue {
        guard let key = keys.first else { return self }
        let rest = keys.dropFirst()
        if var elements = array, let index = Int(key), elements.indices.contains(index), !rest.isEmpty {
            elements[index] = elements[index].removing(rest)
            return .array(elements)
        }
        guard var members = object else { return self }
        members[key] = rest.isEmpty ? nil : members[key]?.removing(rest)
        return .object(members)
    }
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
