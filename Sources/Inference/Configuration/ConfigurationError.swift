/// A model configuration that cannot be built: which field, what it had to be, what it was.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The field's path in the JSON document, such as `backbone.heads`; empty for the document as a whole.
    public let field: String
    /// What the field had to be.
    public let expected: String
    /// What the document says.
    public let found: String

    /// Describes one refused field.
    public init(field: String, expected: String, found: String) {
        self.field = field
        self.expected = expected
        self.found = found
    }

    /// `field: expected …, found …`.
    public var description: String {
        "configuration\(field.isEmpty ? "" : " field \(field)"): expected \(expected), found \(found)"
    }
}

extension ConfigurationError {
    /// Names the field that the decoder stumbled over.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(field: Self.path(context.codingPath + [key]), expected: "a value", found: "nothing")
        case .valueNotFound(let type, let context):
            self.init(field: Self.path(context.codingPath), expected: "\(type)", found: "null")
        case .typeMismatch(let type, let context):
            self.init(field: Self.path(context.codingPath), expected: "\(type)", found: context.debugDescription)
        case .dataCorrupted(let context):
            self.init(field: Self.path(context.codingPath), expected: "a valid value", found: context.debugDescription)
        @unknown default:
            self.init(field: "", expected: "a valid document", found: "\(error)")
        }
    }

    static func path(_ keys: [any CodingKey]) -> String {
        keys.map { key in key.intValue.map(String.init) ?? key.stringValue }.joined(separator: ".")
    }
}
