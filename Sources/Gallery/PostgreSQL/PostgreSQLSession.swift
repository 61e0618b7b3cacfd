import Synchronization

/// A transaction of PostgreSQL.
struct PostgreSQLSession: SQLSession {
    let connection: PostgreSQLConnection
    /// What follows from it; nil for one that only reads.
    let effects: TransactionEffects?

    var dialect: SQLDialect { .postgresql }
    var holdsVectors: Bool { effects?.holdsVectors ?? true }

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

    func apply(_ changes: [IndexChange]) { effects?.change { $0.changes += changes } }
    func announced(_ event: Int64) { effects?.change { $0.event = event } }
    func tell(_ news: ServerNews) { effects?.change { if !$0.news.contains(news) { $0.news.append(news) } } }
}

/// What others learn of a transaction once it is committed, while it gathers.
final class TransactionEffects: Sendable {
    let holdsVectors: Bool
    private let state: Mutex<CommittedChanges>

    init(of place: IndexPlace, holdsVectors: Bool = true) {
        self.holdsVectors = holdsVectors
        state = Mutex(CommittedChanges(place: place))
    }

    func change(_ body: (inout CommittedChanges) -> Void) { state.withLock { body(&$0) } }

    var all: CommittedChanges { state.withLock { $0 } }
}

extension PostgreSQLConnection {
    /// Runs a transaction that only reads, and sees one moment.
    func reading<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        try run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return try ending { try body(PostgreSQLSession(connection: self, effects: nil)) }
    }

    /// Runs a transaction that changes the schema, or what belongs to no gallery.
    func inTransaction<T>(_ body: (any SQLSession) throws -> T) throws -> T {
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
