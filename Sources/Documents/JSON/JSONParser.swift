import Foundation

/// What a reader of JSON accepts, so that a short document can neither exhaust the stack nor swell in memory.
public struct JSONLimits: Sendable, Equatable {
    /// The deepest nesting: the parser recurses.
    public var depth: Int
    /// The most values and keys. One takes up to some 100 bytes of memory, and as few as two in the document.
    public var nodes: Int

    /// Limits; the defaults are for files that this program's user chose.
    public init(depth: Int = 64, nodes: Int = 1 << 20) { (self.depth, self.nodes) = (depth, nodes) }
}

/// A strict parser of JSON (RFC 8259) that also refuses duplicate keys, invalid UTF-8, deep nesting and too many values.
///
/// Foundation's decoder keeps one of two equal keys without a word. In a file that other programs read too, that lets
/// one file mean two things; so whatever comes from outside passes through here first. Every byte is looked at a bounded
/// number of times, and nothing but the values read is kept.
package struct JSONParser {
    /// The longest number read: more digits than any `Double` needs.
    private static let maximumNumber = 1024

    private let limits: JSONLimits
    private var nodes = 0
    /// The next byte to read.
    var position = 0

    /// A parser at the beginning of a document. The document's bytes are given to every call.
    init(_ limits: JSONLimits) { self.limits = limits }

    /// Reads one value and the white space around it. O(bytes). Throws `DocumentError` for its form.
    package static func parse(_ bytes: Span<UInt8>, limits: JSONLimits = JSONLimits()) throws(DocumentError)
        -> JSONValue
    {
        var parser = JSONParser(limits)
        let value = try parser.value(bytes, depth: 0)
        try parser.end(bytes)
        return value
    }

    /// Reads one value and the white space around it. O(bytes). Throws `DocumentError` for its form.
    package static func parse(_ bytes: [UInt8], limits: JSONLimits = JSONLimits()) throws(DocumentError) -> JSONValue {
        try parse(bytes.span, limits: limits)
    }

    /// Reads one value and the white space around it. O(bytes). Throws `DocumentError` for its form.
    package static func parse(_ data: Data, limits: JSONLimits = JSONLimits()) throws(DocumentError) -> JSONValue {
        try parse(data.span, limits: limits)
    }
}

extension JSONParser {
    func error(_ expected: String, at offset: Int? = nil) -> DocumentError {
        .syntax(.json, "expected \(expected) at byte \(offset ?? position)")
    }

    /// The next byte that is not white space, without taking it; 0, which begins nothing, at the end.
    mutating func peek(_ bytes: Span<UInt8>) -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return 0
    }

    /// Takes a character after white space, if it is the next.
    mutating func take(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) -> Bool {
        guard peek(bytes) == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    mutating func require(_ character: Unicode.Scalar, _ bytes: Span<UInt8>) throws(DocumentError) {
        if !take(character, bytes) { throw error("'\(character)'") }
    }

    /// Nothing but white space may be left.
    mutating func end(_ bytes: Span<UInt8>) throws(DocumentError) {
        _ = peek(bytes)
        guard position == bytes.count else { throw error("the end") }
    }

    /// Counts a value or a key.
    mutating func count() throws(DocumentError) {
        nodes += 1
        guard nodes <= limits.nodes else { throw .tooManyNodes(.json, limit: limits.nodes) }
    }

    /// Counts a value inside `depth` others.
    mutating func enter(_ depth: Int) throws(DocumentError) {
        guard depth < limits.depth else { throw .tooDeep(.json, limit: limits.depth) }
        try count()
    }

    /// Takes what opens an object or an array; false if it is closed at once.
    mutating func opens(
        _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ bytes: Span<UInt8>
    ) throws(DocumentError) -> Bool {
        try require(open, bytes)
        return !take(close, bytes)
    }

    /// Takes a comma, or what closes an object or an array: then there is no more.
    mutating func goesOn(_ close: Unicode.Scalar, _ bytes: Span<UInt8>) throws(DocumentError) -> Bool {
        if take(",", bytes) { return true }
        try require(close, bytes)
        return false
    }

    /// Takes a key and its colon.
    mutating func key(_ bytes: Span<UInt8>, isNew: (String) -> Bool) throws(DocumentError) -> String {
        guard peek(bytes) == UInt8(ascii: "\"") else { throw error("a key") }
        let start = position
        try count()
        let key = try string(bytes)
        guard isNew(key) else { throw error("no second \(JSONValue.string(key).summary)", at: start) }
        try require(":", bytes)
        return key
    }
}

extension JSONParser {
    /// A value inside `depth` others.
    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(DocumentError) -> JSONValue {
        try enter(depth)
        switch peek(bytes) {
        case UInt8(ascii: "{"): return .object(try object(bytes, depth: depth))
        case UInt8(ascii: "["): return .array(try array(bytes, depth: depth))
        case UInt8(ascii: "\""): return .string(try string(bytes))
        case UInt8(ascii: "t"): return try literal("true", .bool(true), bytes)
        case UInt8(ascii: "f"): return try literal("false", .bool(false), bytes)
        case UInt8(ascii: "n"): return try literal("null", .null, bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
        default: throw error("a value")
        }
    }

    private mutating func literal(
        _ text: String, _ value: JSONValue, _ bytes: Span<UInt8>
    ) throws(DocumentError) -> JSONValue {
        let start = position
        for character in text.utf8 {
            guard takes(bytes, { $0 == character }) else { throw error(text, at: start) }
        }
        return value
    }

    private mutating func object(_ bytes: Span<UInt8>, depth: Int) throws(DocumentError) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        var hasNext = try opens("{", "}", bytes)
        while hasNext {
            let key = try key(bytes) { members[$0] == nil }
            members[key] = try value(bytes, depth: depth + 1)
            hasNext = try goesOn("}", bytes)
        }
        return members
    }

    private mutating func array(_ bytes: Span<UInt8>, depth: Int) throws(DocumentError) -> [JSONValue] {
        var elements: [JSONValue] = []
        var hasNext = try opens("[", "]", bytes)
        while hasNext {
            elements.append(try value(bytes, depth: depth + 1))
            hasNext = try goesOn("]", bytes)
        }
        return elements
    }
}

extension JSONParser {
    private mutating func number(_ bytes: Span<UInt8>) throws(DocumentError) -> JSONValue {
        let start = position
        _ = takes(bytes) { $0 == UInt8(ascii: "-") }
        if !takes(bytes, { $0 == UInt8(ascii: "0") }) { try digits(bytes) }
        var isWhole = true
        if takes(bytes, { $0 == UInt8(ascii: ".") }) {
            isWhole = false
            try digits(bytes)
        }
        if takes(bytes, { $0 | 0x20 == UInt8(ascii: "e") }) {
            isWhole = false
            _ = takes(bytes) { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-") }
            try digits(bytes)
        }
        guard position - start <= Self.maximumNumber else {
            throw error("a number of at most \(Self.maximumNumber) characters", at: start)
        }
        let literal = bytes.extracting(start..<position)
        if isWhole, let integer = Self.integer(literal) { return .integer(integer) }
        guard let number = Double(try text(literal)), number.isFinite else {
            throw error("a number that a Double can hold", at: start)
        }
        return .number(number)
    }

    /// The number that digits are, if an `Int` holds it.
    private static func integer(_ literal: Span<UInt8>) -> Int? {
        let isNegative = literal[0] == UInt8(ascii: "-")
        var value = 0
        for at in (isNegative ? 1 : 0)..<literal.count {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let digit = Int(literal[at] - UInt8(ascii: "0"))
            // Below zero there is one number more than above.
            let (sum, overflowed) =
                isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            if overflow || overflowed { return nil }
            value = sum
        }
        return value
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(DocumentError) {
        let start = position
        while takes(bytes, { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) {}
        if position == start { throw error("a digit") }
    }

    /// Takes the very next byte, if it is as wanted.
    private mutating func takes(_ bytes: Span<UInt8>, _ isWanted: (UInt8) -> Bool) -> Bool {
        guard position < bytes.count, isWanted(bytes[position]) else { return false }
        position += 1
        return true
    }
}
