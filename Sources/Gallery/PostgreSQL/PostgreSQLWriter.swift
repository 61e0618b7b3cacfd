import Foundation
import Synchronization

/// The one connection that writes, so that transactions follow each other and the indexes their order.
///
/// It owns the database for as long as it is connected: a second server is refused, since the index in memory of the first would
/// not learn of what it enrols.
final class PostgreSQLWriter: Sendable {
    private struct State {
        var connection: PostgreSQLConnection?
        /// A commit of which no answer came.
        var doubtful: Doubt?
        var isClosed = false
    }

    /// By its name, as it is in the database if it was committed.
    private struct Doubt {
        let name: String
        let effects: TransactionEffects
    }

    private let pool: PostgreSQLPool
    private let state: Mutex<State>
    private let settle: @Sendable (TransactionEffects) -> Void

    /// With a connection that has the database already. `settle` is told what each transaction has changed, in their order.
    init(
        _ pool: PostgreSQLPool, _ connection: PostgreSQLConnection,
        settle: @escaping @Sendable (TransactionEffects) -> Void
    ) {
        (self.pool, self.settle) = (pool, settle)
        state = Mutex(State(connection: connection))
    }

    /// Runs a transaction, on the calling thread. One whose connection was lost before it was committed runs again, once.
    func write<T: Sendable>(_ body: (any SQLSession) throws -> T) throws -> T {
        try state.withLock { state in
            if state.isClosed { throw GalleryError.storage("the database was closed") }
            if let connection = state.connection {
                do {
                    return try transact(&state, connection, body)
                } catch let error as PostgreSQLError where error.isLost {
                    state.connection = nil
                }
            }
            return try transact(&state, connect(&state).connection, body)
        }
    }

    func close() {
        state.withLock { state in (state.connection, state.isClosed) = (nil, true) }
    }

    private func transact<T: Sendable>(
        _ state: inout State, _ connection: PostgreSQLConnection, _ body: (any SQLSession) throws -> T
    ) throws -> T {
        let (name, effects) = (UUID().uuidString, TransactionEffects())
        let result: T
        do {
            try connection.run("BEGIN")
            let session = PostgreSQLSession(connection: connection, effects: effects)
            try session.execute("UPDATE total SET commits = commits + 1, last_commit = ?", [name])
            result = try body(session)
        } catch {
            connection.rollBack()
            if connection.isBroken { state.connection = nil }
            throw error
        }
        do {
            try connection.commit()
        } catch let error as PostgreSQLError where error.isLost {
            (state.connection, state.doubtful) = (nil, Doubt(name: name, effects: effects))
            guard try wasCommitted(&state) else { throw error }
            return result
        } catch {
            connection.rollBack()
            throw error
        }
        settle(effects)
        return result
    }

    /// Asks another connection about the last commit. If there is none, nobody knows: then it must not run again.
    private func wasCommitted(_ state: inout State) throws -> Bool {
        do {
            return try connect(&state).wasCommitted
        } catch {
            throw GalleryError.unavailable(
                "the connection was lost during a commit, and whether it has succeeded cannot be told yet")
        }
    }

    /// A new connection, which has the database. What a doubtful commit has changed follows, if it was one.
    private func connect(_ state: inout State) throws -> (connection: PostgreSQLConnection, wasCommitted: Bool) {
        let connection = try pool.connect()
        try PostgreSQLSchema.own(connection, pool.address)
        var wasCommitted = false
        if let doubt = state.doubtful {
            // In a transaction that writes: its commit waits for the standbys that the lost one had to wait for, which a restart of the
            // database may have cut short, and its row for whoever still commits.
            let last = try connection.migrating { db in
                try db.execute("UPDATE total SET last_commit = last_commit")
                return try db.value(String.self, "SELECT last_commit FROM total")
            }
            wasCommitted = last == doubt.name
            if wasCommitted { settle(doubt.effects) }
        }
        (state.connection, state.doubtful) = (connection, nil)
        return (connection, wasCommitted)
    }
}
