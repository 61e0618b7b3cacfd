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
    /// nil for NULL, and for a value of another type.
    init?(_ cells: any SQLCells, _ column: Int)
}

/// The values of a row, each read when it is asked for, which costs least if its type is known then.
package protocol SQLCells {
    func isNull(_ column: Int) -> Bool
    func value(_ column: Int) -> SQLValue
    func integer(_ column: Int) -> Int64?
    /// An integer's, too.
    func real(_ column: Int) -> Double?
    func text(_ column: Int) -> String?
    func blob(_ column: Int) -> Data?
}

extension SQLCells {
    package func isNull(_ column: Int) -> Bool { value(column) == .null }

    package func integer(_ column: Int) -> Int64? {
        guard case .integer(let number) = value(column) else { return nil }
        return number
    }

    package func real(_ column: Int) -> Double? {
        switch value(column) {
        case .real(let number): number
        case .integer(let number): Double(number)
        default: nil
        }
    }

    package func text(_ column: Int) -> String? {
        guard case .text(let text) = value(column) else { return nil }
        return text
    }

    package func blob(_ column: Int) -> Data? {
        guard case .blob(let bytes) = value(column) else { return nil }
        return bytes
    }
}

extension SQLValue: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { self }
    package init(_ cells: any SQLCells, _ column: Int) { self = cells.value(column) }
}

extension Int64: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .integer(self) }

    package init?(_ cells: any SQLCells, _ column: Int) {
        guard let number = cells.integer(column) else { return nil }
        self = number
    }
}

extension Int: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .integer(Int64(self)) }

    package init?(_ cells: any SQLCells, _ column: Int) {
        guard let number = cells.integer(column) else { return nil }
        self = Int(number)
    }
}

extension Bool: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .integer(self ? 1 : 0) }

    package init?(_ cells: any SQLCells, _ column: Int) {
        guard let number = cells.integer(column) else { return nil }
        self = number != 0
    }
}

extension Double: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .real(self) }

    package init?(_ cells: any SQLCells, _ column: Int) {
        guard let number = cells.real(column) else { return nil }
        self = number
    }
}

extension Float: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .real(Double(self)) }

    package init?(_ cells: any SQLCells, _ column: Int) {
        guard let number = cells.real(column) else { return nil }
        self = Float(number)
    }
}

extension String: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .text(self) }

    package init?(_ cells: any SQLCells, _ column: Int) {
        guard let text = cells.text(column) else { return nil }
        self = text
    }
}

extension Data: SQLArgument, SQLReadable {
    package var sqlValue: SQLValue { .blob(self) }

    package init?(_ cells: any SQLCells, _ column: Int) {
        guard let bytes = cells.blob(column) else { return nil }
        self = bytes
    }
}

extension Optional: SQLArgument where Wrapped: SQLArgument {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
}
