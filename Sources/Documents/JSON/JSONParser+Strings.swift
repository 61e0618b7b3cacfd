extension JSONParser {
    /// A string, from its quote on.
    mutating func string(_ bytes: Span<UInt8>) throws(DocumentError) -> String {
        if let range = try plainString(bytes) { return try text(bytes.extracting(range)) }
        var text: [UInt8] = []
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            guard byte >= 0x20 else { throw error("no control character in a string") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return try self.text(text.span)
            case UInt8(ascii: "\\"):
                let scalar = try escaped(bytes)
                if scalar.isASCII {
                    text.append(UInt8(scalar.value))
                } else {
                    text.append(contentsOf: UTF8.encode(scalar) ?? .init())
                }
            default: text.append(byte)
            }
        }
        throw error("'\"'")
    }

    /// The bytes of a string without escapes, which is taken; nil, with nothing taken, if it has some.
    mutating func plainString(_ bytes: Span<UInt8>) throws(DocumentError) -> Range<Int>? {
        let quote = position
        position += 1
        let end = endOfPlain(bytes)
        guard end < bytes.count, bytes[end] == UInt8(ascii: "\"") else {
            position = quote
            return nil
        }
        position = end + 1
        return quote + 1..<end
    }

    /// Where the run of bytes ends that stand for themselves: at a quote, an escape, a control character or the end.
    private func endOfPlain(_ bytes: Span<UInt8>) -> Int {
        var at = position
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
            at += 1
        }
        return at
    }

    func text(_ bytes: Span<UInt8>) throws(DocumentError) -> String {
        do {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            throw self.error("UTF-8 before")
        }
    }

    private mutating func next(_ bytes: Span<UInt8>, _ expected: String) throws(DocumentError) -> UInt8 {
        guard position < bytes.count else { throw error(expected) }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func escaped(_ bytes: Span<UInt8>) throws(DocumentError) -> Unicode.Scalar {
        let byte = try next(bytes, "an escape")
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{08}"
        case UInt8(ascii: "f"): return "\u{0C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return try escapedScalar(bytes)
        default: throw error("an escape", at: position - 1)
        }
    }

    /// A scalar beyond the basic plane is written as two UTF-16 units; a half of such a pair means nothing.
    private mutating func escapedScalar(_ bytes: Span<UInt8>) throws(DocumentError) -> Unicode.Scalar {
        let pair = "a pair of surrogates"
        let first = try hexadecimalUnit(bytes)
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, try next(bytes, pair) == UInt8(ascii: "\\"), try next(bytes, pair) == UInt8(ascii: "u")
        else { throw error(pair) }
        let second = try hexadecimalUnit(bytes)
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw error(pair) }
        return scalar
    }

    private mutating func hexadecimalUnit(_ bytes: Span<UInt8>) throws(DocumentError) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let byte = try next(bytes, "four hexadecimal digits")
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw error("four hexadecimal digits", at: position - 1)
            }
            unit = unit << 4 | UInt32(digit)
        }
        return unit
    }
}
