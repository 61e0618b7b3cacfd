import Synchronization

/// A transaction of PostgreSQL.
struct PostgreSQLSession: SQLSession {
    let connection: PostgreSQLConnection
    /// What follows from it; nil for one that only reads.
    let effects: TransactionEffects?

    var dialect: SQLDialect { .postgresql }

    @discardableResult func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int {
        try connection.run(sql, arguments)
    }

    func forEach(_ sql: String, _ arguments: [any SQLArgument], _ body: (SQLRow) throws -> Void) throws {
        try connection.run(sql, arguments, body)
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        try connection.run("SAVEPOINT part")
        do {
            let result = try body()
            try connection.run("RELEASE SAVEPOINT part")
            return result
        } catch {
            // Of a connection that was lost the transaction is gone as it is.
            if !connection.isBroken { try connection.run("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part") }
            throw error
        }
    }

    func apply(_ changes: [IndexChange]) { effects?.add(changes) }
    func announced(_ event: Int64) { effects?.reach(event) }
}

/// What others learn of a transaction once it is committed.
final class TransactionEffects: Sendable {
    private let state = Mutex(([IndexChange](), event: nil as Int64?))

    func add(_ changes: [IndexChange]) { state.withLock { $0.0 += changes } }
    func reach(_ event: Int64) { state.withLock { $0.event = event } }

    var changes: [IndexChange] { state.withLock(\.0) }
    /// The last event that it has written.
    var event: Int64? { state.withLock(\.event) }
}

extension PostgreSQLConnection {
    /// Runs a transaction that only reads, and sees one moment.
    func reading<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        try run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return try ending { try body(PostgreSQLSession(connection: self, effects: nil)) }
    }

    /// Runs a transaction that changes the schema.
    func migrating<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        try run("BEGIN")
        return try ending { try body(PostgreSQLSession(connection: self, effects: nil)) }
    }

    private func ending<T>(_ body: () throws -> T) throws -> T {
        do {
            let result = try body()
            try commit()
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    /// Throws also where the server has taken a transaction for failed, which it would end without a word.
    func commit() throws {
        guard isHealthy else { throw GalleryError.storage("a statement of the transaction has failed") }
        try run("COMMIT")
    }

    func rollBack() {
        if !isBroken { try? run("ROLLBACK") }
    }
}
