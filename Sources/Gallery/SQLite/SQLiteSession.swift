import Foundation
import GRDB

/// A transaction of SQLite.
struct SQLiteSession: SQLSession {
    private let db: Database
    private let engine: SQLiteEngine?

    /// One whose changes nobody follows, if there is no engine.
    init(_ db: Database, _ engine: SQLiteEngine? = nil) { (self.db, self.engine) = (db, engine) }

    var dialect: SQLDialect { .sqlite }

    @discardableResult func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int {
        try db.cachedStatement(sql: sql).execute(arguments: StatementArguments(arguments))
        return db.changesCount
    }

    func forEach(_ sql: String, _ arguments: [any SQLArgument], _ body: (SQLRow) throws -> Void) throws {
        let statement = try db.cachedStatement(sql: sql)
        let columns = statement.columnNames
        let rows = try Row.fetchCursor(statement, arguments: StatementArguments(arguments))
        while let row = try rows.next() { try body(SQLRow(columns: columns, cells: SQLiteCells(row: row))) }
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        var result: T?
        try db.inSavepoint {
            result = try body()
            return .commit
        }
        guard let result else { throw GalleryError.storage("a savepoint gave nothing") }
        return result
    }

    /// On the writer's queue, after the commit and before whoever wrote goes on: so their order is the order of commits.
    func apply(_ changes: [IndexChange]) {
        guard let engine else { return }
        db.afterNextTransaction { _ in engine.indexes.apply(changes) }
    }

    func announced(_ event: Int64) {
        guard let engine else { return }
        db.afterNextTransaction { _ in engine.events.reach(event) }
    }
}

/// Read by GRDB from the statement itself. The tables are strict, so that a value has its column's type.
private struct SQLiteCells: SQLCells {
    let row: Row

    func isNull(_ column: Int) -> Bool { row.hasNull(atIndex: column) }
    func value(_ column: Int) -> SQLValue { SQLValue(row[column] as DatabaseValue) }
    func integer(_ column: Int) -> Int64? { row[column] }
    func real(_ column: Int) -> Double? { row[column] }
    func text(_ column: Int) -> String? { row[column] }
    func blob(_ column: Int) -> Data? { row[column] }
}

extension StatementArguments {
    fileprivate init(_ arguments: [any SQLArgument]) { self.init(arguments.map { $0.sqlValue.databaseValue }) }
}

extension SQLValue {
    fileprivate init(_ value: DatabaseValue) {
        self =
            switch value.storage {
            case .null: .null
            case .int64(let number): .integer(number)
            case .double(let number): .real(number)
            case .string(let text): .text(text)
            case .blob(let bytes): .blob(bytes)
            }
    }

    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let number): number.databaseValue
        case .real(let number): number.databaseValue
        case .text(let text): text.databaseValue
        case .blob(let bytes): bytes.databaseValue
        }
    }
}

extension Row {
    /// The first row of a query that has at least one.
    static func only(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws -> Row {
        guard let row = try fetchOne(db, sql: sql, arguments: arguments) else {
            throw GalleryError.storage("a row that must be there is missing: \(sql)")
        }
        return row
    }
}
