/// A row of an answer. One that a cursor is at is read as it is asked for, and is gone with the next; `kept` stays.
struct SQLRow {
    let columns: [String]
    private let cells: any SQLCells

    init(columns: [String], cells: any SQLCells) { (self.columns, self.cells) = (columns, cells) }

    /// The same with its values read.
    var kept: SQLRow { SQLRow(columns: columns, cells: KeptCells(values: values)) }
    var values: [SQLValue] { columns.indices.map(cells.value) }

    func isNull(_ column: Int) -> Bool { cells.isNull(column) }

    /// Requires a value of the type, which the schema promises.
    subscript<T: SQLReadable>(column: Int) -> T {
        guard let value = T(cells, column) else { preconditionFailure("\(columns[column]) holds no \(T.self)") }
        return value
    }

    subscript<T: SQLReadable>(column: Int) -> T? { T(cells, column) }

    /// Requires a column of the name, and as above. Of several with one name the first.
    subscript<T: SQLReadable>(name: String) -> T {
        guard let column = columns.firstIndex(of: name) else { preconditionFailure("there is no column \(name)") }
        return self[column]
    }

    /// nil also where there is no such column, as in a schema of before.
    subscript<T: SQLReadable>(name: String) -> T? { columns.firstIndex(of: name).flatMap { self[$0] } }
}

/// Values that were read.
private struct KeptCells: SQLCells {
    let values: [SQLValue]

    func value(_ column: Int) -> SQLValue { values[column] }
}
