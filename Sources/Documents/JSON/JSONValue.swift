import Foundation

/// Any JSON value: what a checkpoint carries without this program knowing its form.
///
/// Whole numbers that fit an `Int` are kept exactly (a 63-bit seed survives); every other number is a `Double`.
/// Key order is not kept.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Numbers are equal by their value, however they are written: 1.0 is written as 1, and read again as a whole number.
    public static func == (a: JSONValue, b: JSONValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let a), .bool(let b)): a == b
        case (.integer(let a), .integer(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.integer, .number), (.number, .integer): a.integer == b.integer
        case (.string(let a), .string(let b)): a == b
        case (.array(let a), .array(let b)): a == b
        case (.object(let a), .object(let b)): a == b
        default: false
        }
    }
}

extension JSONValue {
    /// The member of an object, or nil for another kind of value or an absent key.
    public subscript(key: String) -> JSONValue? {
        object?[key]
    }

    /// The element of an array, or nil for another kind of value or an index out of range.
    public subscript(index: Int) -> JSONValue? {
        guard let array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// The members, if this is an object.
    public var object: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The elements, if this is an array.
    public var array: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The text, if this is a string.
    public var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The truth value, if this is one.
    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number, if this is a whole one that fits an `Int`.
    public var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The number, if this is one; rounded beyond 2^53.
    public var number: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}

extension JSONValue {
    /// The value for a message: a short one as it is, another by its kind and size.
    public var summary: String {
        if let short = short(levels: 2), short.utf8.count <= 200 { return short }
        return switch self {
        case .string(let text): "a string of \(text.utf8.count) bytes"
        case .array(let elements): "a list of \(elements.count)"
        default: "an object"
        }
    }

    /// The value as JSON, unless it has more than a few elements or levels, or a long text.
    private func short(levels: Int) -> String? {
        switch self {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .integer(let value): return "\(value)"
        case .number(let value): return "\(value)"
        case .string(let text): return text.utf8.count <= 64 ? "\"\(text)\"" : nil
        case .array(let elements):
            guard levels > 0, elements.count <= 4 else { return nil }
            let parts = elements.compactMap { $0.short(levels: levels - 1) }
            return parts.count == elements.count ? "[\(parts.joined(separator: ","))]" : nil
        case .object(let members):
            guard levels > 0, members.count <= 4 else { return nil }
            let parts = members.sorted { $0.key < $1.key }.compactMap { key, value in
                value.short(levels: levels - 1).map { "\"\(key)\":\($0)" }
            }
            return parts.count == members.count ? "{\(parts.joined(separator: ","))}" : nil
        }
    }

    /// The value as JSON whose text depends on the value alone: keys sorted, nothing escaped without need.
    ///
    /// Throws `EncodingError` for a number that JSON cannot hold.
    public func canonicalText() throws -> String {
        String(decoding: try JSONEncoder.canonical.encode(self), as: UTF8.self)
    }
}

extension JSONEncoder {
    /// An encoder whose output depends on the value alone.
    package static var canonical: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// A value as a file for people: its text depends on the value alone, over several lines, of which the last one ends too.
    /// Throws `EncodingError`.
    package static func prettyText(_ value: some Encodable) throws -> String {
        let encoder = canonical
        encoder.outputFormatting.insert(.prettyPrinted)
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}

extension JSONValue: Codable {
    /// Reads any value.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    /// Writes the value as it is.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
