import Documents

/// Why a recipe cannot be read or laid together; what is wrong with a value of its own is a `DocumentError`.
public enum RecipeError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file cannot be read or is not YAML.
    case unreadable(path: String, reason: String)
    /// A `--set` that is not `key.path=value`.
    case unreadableSetting(String)
    /// Neither a file nor the name of a built-in recipe; the known ones, the nearest first.
    case unknownName(String, known: [String])
    /// A part that is neither a file nor built in; the known ones, the nearest first.
    case noSuchPart(String, of: String, known: [String])
    /// A part that says what it must not.
    case part(String, DocumentError)
    /// Parts that compose each other, the first one again at the end.
    case cycle([String])
    /// A variant that the recipe does not have; those that it has, the nearest first.
    case unknownVariant(String, of: String, known: [String])

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): \(reason)"
        case .unreadableSetting(let text): "expected key.path=value, found '\(text)'"
        case .unknownName(let name, let known):
            "expected a recipe's file, or a name that triptych recipes lists (\(Self.nearest(known))), found '\(name)'"
        case .noSuchPart(let name, let user, let known):
            "\(user): compose: expected files beside the recipe, or built-in parts (\(Self.nearest(known))), found '\(name)'"
        case .part(let name, let error): "\(name): \(error)"
        case .cycle(let names): "expected parts that do not compose each other, found \(names.joined(separator: " > "))"
        case .unknownVariant(let name, let recipe, let known):
            "\(recipe): expected "
                + (known.isEmpty ? "no variant, as it has none" : "a variant such as \(Self.nearest(known))")
                + ", found '\(name)'"
        }
    }

    private static func nearest(_ names: [String]) -> String { names.prefix(3).joined(separator: ", ") }
}
