/// A transaction of a database, as statements see it: what every database that speaks SQL does alike.
///
/// Places for arguments are `?`, or `?1` and so on. Statements are prepared once a connection, so their texts must be few. Used by
/// one thread at a time.
protocol SQLSession {
    var dialect: SQLDialect { get }

    /// How many rows were changed, of those that the statement names.
    @discardableResult func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int
    /// Hands over a row after the other, each as long as `body` has it, which must run no statements.
    func forEach(_ sql: String, _ arguments: [any SQLArgument], _ body: (SQLRow) throws -> Void) throws
    /// Takes back what `body` has done if it throws.
    func savepoint<T>(_ body: () throws -> T) throws -> T

    /// Whether vectors are held in memory, and not only in the database.
    var holdsVectors: Bool { get }
    /// Has the indexes follow the transaction once it is committed, in the order of commits. Of one that is rolled back they learn
    /// nothing.
    func apply(_ changes: [IndexChange])
    /// Has those who wait for events learn of one, as above.
    func announced(_ event: Int64)
    /// Has other servers of the database learn of what they may hold in memory, as above.
    func tell(_ news: ServerNews)
}

extension SQLSession {
    var holdsVectors: Bool { true }

    /// Where there are no others nobody is told.
    func tell(_ news: ServerNews) {}
}

extension SQLSession {
    @discardableResult func execute(_ sql: String) throws -> Int { try execute(sql, []) }

    func rows(_ sql: String, _ arguments: [any SQLArgument] = []) throws -> [SQLRow] {
        var rows: [SQLRow] = []
        try forEach(sql, arguments) { rows.append($0.kept) }
        return rows
    }

    func first(_ sql: String, _ arguments: [any SQLArgument] = []) throws -> SQLRow? {
        var row: SQLRow?
        try forEach(sql, arguments) { row = row ?? $0.kept }
        return row
    }

    /// The first row of a query that has at least one.
    func only(_ sql: String, _ arguments: [any SQLArgument] = []) throws -> SQLRow {
        guard let row = try first(sql, arguments) else {
            throw GalleryError.storage("a row that must be there is missing: \(sql)")
        }
        return row
    }

    /// The first column of the first row; nil if there is none, or if it is NULL.
    func value<T: SQLReadable>(
        _ type: T.Type, _ sql: String, _ arguments: [any SQLArgument] = []
    ) throws -> T? {
        try first(sql, arguments).flatMap { $0[0] }
    }

    /// The first column of each row.
    func values<T: SQLReadable>(
        _ type: T.Type, _ sql: String, _ arguments: [any SQLArgument] = []
    ) throws -> [T] {
        var values: [T] = []
        try forEach(sql, arguments) { values.append($0[0]) }
        return values
    }

    /// Inserts one row, into a table whose key is `id`, and gives that.
    func insert(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int64 {
        try only("\(sql) RETURNING id", arguments)[0]
    }
}
