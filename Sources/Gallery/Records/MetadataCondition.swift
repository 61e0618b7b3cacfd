/// What a key of metadata must hold.
public enum MetadataCondition: Equatable, Sendable {
    /// One of these values, of the same type.
    case anyOf([MetadataValue])
    /// A value between bounds.
    case range(MetadataRange)
}

/// Bounds of numbers, or of texts in the order of their UTF-8 bytes; a value of another type is not between them.
public struct MetadataRange: Equatable, Sendable {
    /// The least value.
    public var lower: MetadataValue?
    /// The largest value.
    public var upper: MetadataValue?
    /// Whether the least one is in it.
    public var includesLower = true
    /// Whether the largest one is in it.
    public var includesUpper = true

    /// No bounds yet; it needs one.
    public init() {}
}

extension MetadataCondition: ExpressibleByStringLiteral, ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral
{
    /// Exactly this text.
    public init(stringLiteral value: String) { self = .anyOf([.string(value)]) }
    /// Exactly this number.
    public init(floatLiteral value: Double) { self = .anyOf([.number(value)]) }
    /// Exactly this number.
    public init(integerLiteral value: Int) { self = .anyOf([.number(Double(value))]) }
    /// Exactly this truth value.
    public init(booleanLiteral value: Bool) { self = .anyOf([.bool(value)]) }
    /// One of these values.
    public init(arrayLiteral elements: MetadataValue...) { self = .anyOf(elements) }
}

extension MetadataCondition {
    /// Throws `GalleryError.invalid`.
    func validate(_ field: String) throws {
        switch self {
        case .anyOf(let values):
            try Validation.require((1...1000).contains(values.count), field, "1 to 1000 values", "\(values.count)")
        case .range(let range): try range.validate(field)
        }
    }
}

extension MetadataRange {
    fileprivate func validate(_ field: String) throws {
        let expected = "bounds that are numbers, or texts"
        let kinds = Set([lower, upper].compactMap { $0?.kind })
        try Validation.require(kinds.count == 1 && kinds.first != "a truth value", field, expected, "\(kinds.sorted())")
        for case .number(let number)? in [lower, upper] {
            try Validation.require(number.isFinite, field, "finite numbers", "\(number)")
        }
    }
}

extension MetadataValue {
    fileprivate var kind: String {
        switch self {
        case .string: "a text"
        case .number: "a number"
        case .bool: "a truth value"
        }
    }
}
