import Foundation

/// A value of a column, or of a place in a statement.
package enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob(Data)
}

/// What a statement may be given.
package protocol SQLArgument {
    var sqlValue: SQLValue { get }
}

/// What a column may be read as.
package protocol SQLReadable {
    /// nil for a value of another type.
    init?(_ value: SQLValue)
}

extension SQLValue: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { self }
    package init(_ value: SQLValue) { self = value }
}

extension Int64: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .integer(self) }

    package init?(_ value: SQLValue) {
        guard case .integer(let number) = value else { return nil }
        self = number
    }
}

extension Int: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .integer(Int64(self)) }

    package init?(_ value: SQLValue) {
        guard case .integer(let number) = value else { return nil }
        self = Int(number)
    }
}

extension Bool: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .integer(self ? 1 : 0) }

    package init?(_ value: SQLValue) {
        guard case .integer(let number) = value else { return nil }
        self = number != 0
    }
}

extension Double: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .real(self) }

    package init?(_ value: SQLValue) {
        switch value {
        case .real(let number): self = number
        case .integer(let number): self = Double(number)
        default: return nil
        }
    }
}

extension Float: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .real(Double(self)) }

    package init?(_ value: SQLValue) {
        guard let number = Double(value) else { return nil }
        self = Float(number)
    }
}

extension String: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .text(self) }

    package init?(_ value: SQLValue) {
        guard case .text(let text) = value else { return nil }
        self = text
    }
}

extension Data: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .blob(self) }

    package init?(_ value: SQLValue) {
        guard case .blob(let bytes) = value else { return nil }
        self = bytes
    }
}

extension Optional: SQLArgument where Wrapped: SQLArgument {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

/// A row of an answer.
struct SQLRow: Sendable {
    let columns: [String]
    let values: [SQLValue]

    func isNull(_ column: Int) -> Bool { values[column] == .null }

    /// Requires a value of the type, which the schema promises.
    subscript<T: SQLReadable>(column: Int) -> T {
        guard let value = T(values[column]) else {
            preconditionFailure("\(columns[column]) holds no \(T.self)")
        }
        return value
    }

    subscript<T: SQLReadable>(column: Int) -> T? { T(values[column]) }

    /// Requires a column of the name, and as above. Of several with one name the first.
    subscript<T: SQLReadable>(name: String) -> T {
        guard let column = columns.firstIndex(of: name) else { preconditionFailure("there is no column \(name)") }
        return self[column]
    }

    /// nil also where there is no such column, as in a schema of before.
    subscript<T: SQLReadable>(name: String) -> T? { columns.firstIndex(of: name).flatMap { self[$0] } }
}
