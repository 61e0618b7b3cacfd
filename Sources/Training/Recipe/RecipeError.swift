/// Why a recipe cannot be used.
public enum RecipeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file cannot be read or is not YAML.
    case unreadable(path: String, reason: String)
    /// A value of the wrong type or out of range.
    case invalid(field: String, expected: String, found: String)
    /// A key that means nothing here.
    case unknownKey(String, expected: [String])
    /// A `--set` that is not `key.path=value`.
    case unreadableSetting(String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .invalid(let field, let expected, let found): "\(field): expected \(expected), found \(found)"
        case .unknownKey(let key, let expected):
            "unknown key \(key), expected one of \(expected.joined(separator: ", "))"
        case .unreadableSetting(let text): "expected key.path=value, found '\(text)'"
        }
    }
}
