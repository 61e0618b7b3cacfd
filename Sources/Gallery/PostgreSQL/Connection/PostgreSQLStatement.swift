/// A statement in PostgreSQL's words.
struct PostgreSQLStatement {
    let sql: String

    /// Of one with `?` or `?1` for arguments. SQLite takes `CROSS JOIN … ON` for the order in which to join; here it is a join. Texts
    /// in quotes hold neither.
    init(_ text: String) {
        var (sql, place, rest) = ("", 0, text[...])
        while let mark = rest.firstIndex(of: "?") {
            sql += rest[..<mark]
            rest = rest[rest.index(after: mark)...]
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            place += 1
            sql += digits.isEmpty ? "$\(place)" : "$\(digits)"
            rest = rest[digits.endIndex...]
        }
        self.sql = (sql + rest).replacing("CROSS JOIN", with: "JOIN")
    }
}

/// What a statement is given, in C's form, for as long as it lives.
final class PostgreSQLArguments {
    private(set) var values: [UnsafePointer<CChar>?] = []
    private(set) var lengths: [Int32] = []
    private(set) var formats: [Int32] = []

    /// Numbers go as text, so that a place may be of any type of them; bytes as they are. Throws `GalleryError.invalid` for a text
    /// that PostgreSQL cannot hold.
    init(_ arguments: [any SQLArgument]) throws(GalleryError) {
        for argument in arguments {
            switch argument.sqlValue {
            case .null: add(nil, 0, format: 0)
            case .integer(let number): add(text: "\(number)")
            case .real(let number): add(text: "\(number)")
            case .text(let text):
                guard !text.utf8.contains(0) else {
                    throw .invalid(field: "text", expected: "no character U+0000", found: "one")
                }
                add(text: text)
            case .blob(let bytes): add(Array(bytes), format: 1)
            }
        }
    }

    deinit { for value in values { value?.deallocate() } }

    private func add(text: String) { add(Array(text.utf8) + [0], format: 0) }

    private func add(_ bytes: [UInt8], format: Int32) {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: max(bytes.count, 1))
        bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(start: copy, count: bytes.count).copyMemory(from: $0) }
        add(UnsafePointer(copy), Int32(bytes.count), format: format)
    }

    private func add(_ value: UnsafePointer<CChar>?, _ length: Int32, format: Int32) {
        values.append(value)
        lengths.append(length)
        formats.append(format)
    }
}

/// An array of PostgreSQL as a text, so that one statement takes any number of values.
struct PostgreSQLArray {
    let text: String

    init(_ numbers: some Sequence<Int64>) { text = "{\(numbers.map(String.init).joined(separator: ","))}" }

    init(_ texts: some Sequence<String>) {
        let quoted = texts.map { text in
            "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
        }
        text = "{\(quoted.joined(separator: ","))}"
    }
}
