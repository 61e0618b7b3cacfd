/// A part of a statement with its arguments: what is interpolated becomes an argument, unless it says otherwise.
package struct SQLFragment: ExpressibleByStringInterpolation, Sendable {
    package private(set) var sql: String
    package private(set) var arguments: [SQLValue]

    package init(stringLiteral value: String) { (sql, arguments) = (value, []) }

    /// A text as it stands.
    package init(sql: String) { self.init(stringLiteral: sql) }

    package init(stringInterpolation: StringInterpolation) {
        (sql, arguments) = (stringInterpolation.sql, stringInterpolation.arguments)
    }

    package struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var sql = ""
        fileprivate var arguments: [SQLValue] = []

        package init(literalCapacity: Int, interpolationCount: Int) {}

        package mutating func appendLiteral(_ literal: String) { sql += literal }

        /// An argument.
        package mutating func appendInterpolation(_ value: some SQLArgument) {
            sql += "?"
            arguments.append(value.sqlValue)
        }

        /// As many as there are, in brackets, at least one.
        package mutating func appendInterpolation(anyOf values: [some SQLArgument]) {
            sql += "(\(SQLFragment.places(values.count)))"
            arguments += values.map(\.sqlValue)
        }

        /// A text as it stands.
        package mutating func appendInterpolation(sql text: String) { sql += text }

        package mutating func appendInterpolation(part: SQLFragment) {
            sql += part.sql
            arguments += part.arguments
        }
    }

    static func + (first: SQLFragment, second: SQLFragment) -> SQLFragment { "\(part: first)\(part: second)" }

    /// So many places with commas between.
    static func places(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ",") }
}

extension [SQLFragment] {
    func joined(separator: String = "") -> SQLFragment {
        guard let first else { return "" }
        return dropFirst().reduce(first) { "\(part: $0)\(sql: separator)\(part: $1)" }
    }
}

extension SQLSession {
    func rows(_ fragment: SQLFragment) throws -> [SQLRow] { try rows(fragment.sql, fragment.arguments) }
}
