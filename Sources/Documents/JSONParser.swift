/// A strict reader of JSON (RFC 8259) that also refuses duplicate keys, invalid UTF-8 and deep nesting.
///
/// Foundation's decoder keeps one of two equal keys without a word. In a file that other programs read too, that lets
/// one file mean two things; so whatever comes from a checkpoint passes through here first.
package struct JSONParser {
    /// Where and how a document breaks the grammar.
    package struct SyntaxError: Error, Equatable, CustomStringConvertible {
        package let offset: Int
        package let expected: String

        package var description: String { "expected \(expected) at byte \(offset) of the JSON" }
    }

    /// The deepest nesting read. The parser recurses, so this bounds its stack.
    package static let maximumDepth = 64

    private let bytes: [UInt8]
    private var position = 0

    /// Reads one value and the white space around it. Linear in the number of bytes.
    package static func parse(_ bytes: [UInt8]) throws(SyntaxError) -> JSONValue {
        var parser = JSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.error("the end") }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func error(_ expected: String) -> SyntaxError {
        SyntaxError(offset: position, expected: expected)
    }

    private var next: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func require(_ character: Unicode.Scalar) throws(SyntaxError) {
        skipSpace()
        if !take(character) { throw error("'\(character)'") }
    }
}

extension JSONParser {
    private mutating func value(depth: Int) throws(SyntaxError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw error("at most \(Self.maximumDepth) levels") }
        skipSpace()
        guard let next else { throw error("a value") }
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error("a value")
        }
    }

    private mutating func literal(_ text: String, _ value: JSONValue) throws(SyntaxError) -> JSONValue {
        guard bytes[position...].starts(with: text.utf8) else { throw error(text) }
        position += text.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(SyntaxError) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        try require("{")
        skipSpace()
        if take("}") { return members }
        repeat {
            skipSpace()
            let start = position
            let key = try string()
            guard members[key] == nil else { throw SyntaxError(offset: start, expected: "no second \"\(key)\"") }
            try require(":")
            members[key] = try value(depth: depth + 1)
            skipSpace()
        } while take(",")
        try require("}")
        return members
    }

    private mutating func array(depth: Int) throws(SyntaxError) -> [JSONValue] {
        var elements: [JSONValue] = []
        try require("[")
        skipSpace()
        if take("]") { return elements }
        repeat {
            elements.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        try require("]")
        return elements
    }
}

extension JSONParser {
    private mutating func number() throws(SyntaxError) -> JSONValue {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        var isWhole = true
        if take(".") {
            isWhole = false
            try digits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw error("a number that a Double can hold") }
        return .number(number)
    }

    private mutating func digits() throws(SyntaxError) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        if position == start { throw error("a digit") }
    }
}

extension JSONParser {
    private mutating func string() throws(SyntaxError) -> String {
        if !take("\"") { throw error("a string") }
        var text: [UInt8] = []
        while let byte = next, byte != UInt8(ascii: "\"") {
            if byte < 0x20 { throw error("no control character in a string") }
            position += 1
            if byte == UInt8(ascii: "\\") {
                text.append(contentsOf: String(try escaped()).utf8)
            } else {
                text.append(byte)
            }
        }
        if !take("\"") { throw error("'\"'") }
        guard let string = String(validating: text, as: UTF8.self) else { throw error("UTF-8 before") }
        return string
    }

    private mutating func escaped() throws(SyntaxError) -> Unicode.Scalar {
        guard let byte = next else { throw error("an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try escapedScalar()
        default: throw error("an escape")
        }
    }

    /// A scalar beyond the basic plane is written as two UTF-16 units; a half of such a pair means nothing.
    private mutating func escapedScalar() throws(SyntaxError) -> Unicode.Scalar {
        let first = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take("\\"), take("u") else { throw error("a pair of surrogates") }
        let second = try hexadecimalUnit()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw error("a pair of surrogates") }
        return scalar
    }

    private mutating func hexadecimalUnit() throws(SyntaxError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw error("four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}
