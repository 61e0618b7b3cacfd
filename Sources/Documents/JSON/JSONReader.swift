import Foundation

/// Reads a JSON document piece by piece, for one whose largest strings need never become a `String`: images in base64 are
/// decoded straight from the document's bytes.
///
/// Strict as ``JSONParser`` is. The document is not copied.
package struct JSONReader {
    private let document: Data
    private var parser: JSONParser
    private var depth = 0

    /// A reader at the beginning of a document.
    package init(_ document: Data, limits: JSONLimits = JSONLimits()) {
        self.document = document
        parser = JSONParser(limits)
    }

    /// The value that comes next, whole. Throws `DocumentError` for its form.
    package mutating func value() throws(DocumentError) -> JSONValue { try parser.value(document.span, depth: depth) }

    /// The members of the object that comes next; nothing happens for `null`. `member` gets each key and must read the
    /// value that belongs to it.
    ///
    /// Throws `DocumentError` for the form, for a key that comes twice, as `.invalid` under the name `field` if there is
    /// another kind of value, and what `member` throws.
    package mutating func object(
        _ field: String, _ member: (String, inout JSONReader) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        guard parser.peek(document.span) == UInt8(ascii: "{") else {
            let found = try value()
            if found == .null { return }
            throw .invalid(field: field, expected: "an object", found: found.summary)
        }
        try parser.enter(depth)
        depth += 1
        var keys: Set<String> = []
        var hasNext = try parser.opens("{", "}", document.span)
        while hasNext {
            let key = try parser.key(document.span) { keys.insert($0).inserted }
            try member(key, &self)
            hasNext = try parser.goesOn("}", document.span)
        }
        depth -= 1
    }

    /// The elements of the array that comes next; nothing happens for `null`. `element` gets each one's place and must read it.
    ///
    /// Throws `DocumentError` for the form, as `.invalid` under the name `field` if there is another kind of value, and what
    /// `element` throws.
    package mutating func array(
        _ field: String, _ element: (Int, inout JSONReader) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        guard parser.peek(document.span) == UInt8(ascii: "[") else {
            let found = try value()
            if found == .null { return }
            throw .invalid(field: field, expected: "an array", found: found.summary)
        }
        try parser.enter(depth)
        depth += 1
        var (place, hasNext) = (0, try parser.opens("[", "]", document.span))
        while hasNext {
            try element(place, &self)
            place += 1
            hasNext = try parser.goesOn("]", document.span)
        }
        depth -= 1
    }

    /// The bytes of the base64 string (RFC 4648, section 4, padded) that comes next; nil for `null`. O(string), without a
    /// `String` unless the document escapes characters in it.
    ///
    /// Throws `DocumentError` for the form, and as `.invalid` under the name `field` for another value.
    package mutating func base64(_ field: String) throws(DocumentError) -> Data? {
        guard parser.peek(document.span) == UInt8(ascii: "\"") else {
            let found = try value()
            if found == .null { return nil }
            throw .invalid(field: field, expected: "base64", found: found.summary)
        }
        try parser.count()
        let bytes: Data?
        let length: Int
        if let range = try parser.plainString(document.span) {
            let start = document.startIndex
            length = range.count
            bytes = Data(base64Encoded: document[start + range.lowerBound..<start + range.upperBound])
        } else {
            let text = try parser.string(document.span)
            length = text.utf8.count
            bytes = Data(base64Encoded: text)
        }
        guard let bytes else {
            throw .invalid(field: field, expected: "base64", found: "a string of \(length) bytes that is not")
        }
        return bytes
    }

    /// Nothing but white space may be left. Throws `DocumentError.syntax`.
    package mutating func end() throws(DocumentError) { try parser.end(document.span) }
}
