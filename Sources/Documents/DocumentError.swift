/// A document that cannot be used: it breaks its grammar, is larger than its reader allows, or holds what it must not.
public enum DocumentError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What a document is written in.
    public enum Format: String, Sendable {
        case json = "JSON"
        case yaml = "YAML"
        case multipart = "multipart/form-data"
        case tar = "a tar archive"
    }

    /// Bytes that are not of the format, and why.
    case syntax(Format, String)
    /// Values inside values, more than so many levels.
    case tooDeep(Format, limit: Int)
    /// More values and keys than this.
    case tooManyNodes(Format, limit: Int)
    /// More parts than this.
    case tooManyParts(limit: Int)
    /// A field of the wrong type or out of range, by its path such as `backbone.heads`; an empty path is the whole document.
    case invalid(field: String, expected: String, found: String)
    /// A field that means nothing here; the known ones, the nearest name first.
    case unknownField(String, expected: [String])

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .syntax(let format, let reason): "not \(format.rawValue): \(reason)"
        case .tooDeep(let format, let limit): "expected \(format.rawValue) of at most \(limit) levels, found more"
        case .tooManyNodes(let format, let limit):
            "expected \(format.rawValue) of at most \(limit) values and keys, found more"
        case .tooManyParts(let limit): "expected at most \(limit) parts, found more"
        case .invalid(let field, let expected, let found):
            "\(field.isEmpty ? "" : "\(field): ")expected \(expected), found \(found)"
        case .unknownField(let field, let expected):
            "unknown field \(field), expected \(expected.isEmpty ? "none" : "one of " + expected.joined(separator: ", "))"
        }
    }
}
