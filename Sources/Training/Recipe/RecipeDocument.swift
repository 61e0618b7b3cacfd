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

    /// Changes one value, as `DocumentSetting` says.
    ///
    /// Throws `RecipeError`, or `DocumentError.invalid` for an index that is not there.
    mutating func set(_ text: String) throws {
        do {
            guard let setting = try DocumentSetting(text) else { throw RecipeError.unreadableSetting(text) }
            root = try setting.applied(to: root)
        } catch DocumentError.syntax(let format, let reason) {
            throw RecipeError.unreadable(path: text, reason: "\(DocumentError.syntax(format, reason))")
        }
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
