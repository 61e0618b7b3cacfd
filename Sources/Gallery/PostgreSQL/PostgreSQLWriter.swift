import Foundation
import Synchronization

/// The one connection of a server that writes, so that its transactions follow each other, and its indexes their order.
///
/// It has the database for as long as it is connected: alone, so that a second server is refused, or among others that share it.
/// Then each of its transactions is written down for them.
final class PostgreSQLWriter: Sendable {
    private struct State {
        var connection: PostgreSQLConnection?
        /// A commit of which no answer came.
        var doubtful: TransactionEffects?
        var isClosed = false
    }

    /// What a server does with what it has committed.
    struct Following: Sendable {
        /// Whether others share the database.
        let isShared: Bool
        /// Is told of each transaction, in their order.
        let settle: @Sendable (CommittedChanges) -> Void
        /// Looks at the database by a connection that was made anew.
        let verify: @Sendable (any SQLSession) throws -> Void
        /// Writes down what the search must know, in the transaction; nil where vectors are held in memory.
        let vectors: SearchVectorWriter?
    }

    /// Between two tries to learn what a lost connection has committed.
    private static let pause = Duration.milliseconds(100)

    private let pool: PostgreSQLPool
    private let state: Mutex<State>
    private let following: Following

    /// With a connection that has the database already.
    init(_ pool: PostgreSQLPool, _ connection: PostgreSQLConnection, _ following: Following) throws {
        (self.pool, self.following) = (pool, following)
        state = Mutex(State(connection: connection))
        try following.prepare(connection)
    }

    /// Runs a transaction, on the calling thread. One whose connection was lost before it was committed runs again, once.
    func write<T: Sendable>(_ body: (any SQLSession) throws -> T) throws -> T {
        try state.withLock { state in
            if state.isClosed { throw GalleryError.closed }
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
        let done: (result: T, effects: TransactionEffects)
        do {
            done = try perform(connection, body)
        } catch {
            connection.rollBack()
            if connection.isBroken { state.connection = nil }
            throw error
        }
        do {
            try connection.commit()
        } catch let error as PostgreSQLError where error.isLost {
            (state.connection, state.doubtful) = (nil, done.effects)
            guard try wasCommitted(&state) else { throw error }
            return done.result
        } catch {
            connection.rollBack()
            throw error
        }
        following.settle(done.effects.all)
        return done.result
    }

    /// All of a transaction but its commit. It begins by taking its number, which nobody else can until it has ended: so numbers
    /// are in the order of commits, whichever server they are from.
    private func perform<T>(
        _ connection: PostgreSQLConnection, _ body: (any SQLSession) throws -> T
    ) throws -> (result: T, effects: TransactionEffects) {
        try connection.run("BEGIN ISOLATION LEVEL READ COMMITTED")
        let name = UUID().uuidString
        let number: Int64 = try PostgreSQLSession(connection: connection, effects: nil).only(
            following.isShared ? Self.count : Self.countAlone, [name])[0]
        let effects = TransactionEffects(
            of: IndexPlace(sequence: number, name: name), holdsVectors: following.vectors == nil)
        let session = PostgreSQLSession(connection: connection, effects: effects)
        let result = try body(session)
        try following.vectors?.write(effects.all.changes, session)
        if following.isShared {
            try session.execute(
                "INSERT INTO change_log VALUES (?, ?, \(PostgreSQLSchema.now), ?)",
                [number, name, ChangeNote(effects.all).text])
        }
        return (result, effects)
    }

    private static let count = "UPDATE total SET commits = commits + 1, last_commit = ? RETURNING commits"
    /// Nothing is written down for others: whoever has followed them must load anew.
    private static let countAlone = """
        UPDATE total SET commits = commits + 1, log_floor = commits + 1, last_commit = ? RETURNING commits
        """

    /// Asks another connection about the last commit, for as long as a write waits for others: a database that starts anew is soon
    /// there again. If there is none by then, nobody knows: the commit must not run again.
    private func wasCommitted(_ state: inout State) throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(pool.lockWait)
        while true {
            do {
                return try connect(&state).wasCommitted
            } catch {
                guard .now < deadline else {
                    throw GalleryError.unavailable(
                        "the connection was lost during a commit, and whether it has succeeded cannot be told yet")
                }
                usleep(UInt32(Self.pause / .microseconds(1)))
            }
        }
    }

    /// A new connection, which has the database. What a doubtful commit has changed follows, if it was one.
    private func connect(_ state: inout State) throws -> (connection: PostgreSQLConnection, wasCommitted: Bool) {
        let connection = try pool.connect()
        try connection.reading { try PostgreSQLSchema.own($0, pool.address, isShared: following.isShared) }
        try following.prepare(connection)
        try connection.reading(following.verify)
        var wasCommitted = false
        if let doubt = state.doubtful?.all {
            // In a transaction that writes: its commit waits for the standbys that the lost one had to wait for, which a restart of the
            // database may have cut short, and its row for whoever still commits.
            wasCommitted = try connection.inTransaction { db in
                try db.execute("UPDATE total SET last_commit = last_commit")
                return try following.has(doubt.place, db)
            }
            if wasCommitted { following.settle(doubt) }
        }
        (state.connection, state.doubtful) = (connection, nil)
        return (connection, wasCommitted)
    }
}

extension PostgreSQLWriter.Following {
    /// What a server that is cut off has locked must not hold up the others for long.
    fileprivate func prepare(_ connection: PostgreSQLConnection) throws {
        if isShared {
            try connection.run("SET idle_in_transaction_session_timeout = 10000")
            try VectorSchema.agree(connection, isSearched: vectors != nil)
        }
    }

    /// Whether a transaction was committed.
    fileprivate func has(_ place: IndexPlace, _ db: any SQLSession) throws -> Bool {
        let name =
            isShared
            ? try db.value(String.self, "SELECT name FROM change_log WHERE sequence = ?", [place.sequence])
            : try db.value(String.self, "SELECT last_commit FROM total")
        return name == place.name
    }
}
