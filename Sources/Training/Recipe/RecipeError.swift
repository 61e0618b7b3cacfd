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
