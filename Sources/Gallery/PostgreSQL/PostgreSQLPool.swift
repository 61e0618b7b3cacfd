import Foundation
import Synchronization

/// Connections for what takes no number: as many as there are threads that use them at the same time, made when they are needed.
final class PostgreSQLPool: Sendable {
    private struct State {
        var idle: [PostgreSQLConnection] = []
        var isClosed = false
        /// Whether the tables are those of this release.
        var isPrepared = false
        /// The last try to connect, if it failed, and when that was known.
        var failure: (error: PostgreSQLError, at: ContinuousClock.Instant)?
    }

    let address: PostgreSQLAddress
    /// Seconds that a statement waits for locks of others.
    let lockWait: TimeInterval
    private let state = Mutex(State())

    /// How long an answer may take.
    static let patience = Duration.seconds(60)
    /// For how long nobody tries again what another has just tried.
    private static let pause = Duration.milliseconds(250)

    init(_ address: PostgreSQLAddress, lockWait: TimeInterval) { (self.address, self.lockWait) = (address, lockWait) }

    /// From now on the tables are those of this release.
    func prepared() { state.withLock { $0.isPrepared = true } }

    /// A new connection, its caller's, which may want its answers sooner. Those who wait for their turn share in a failure, as each
    /// try may take seconds: nobody waits for a database that is away longer than for one of them. Throws `GalleryError.newerSchema`
    /// where a later release has changed the tables since they were prepared.
    func connect(patience: Duration = PostgreSQLPool.patience) throws -> PostgreSQLConnection {
        if let failure = state.withLock({ $0.failure }), ContinuousClock.now - failure.at < Self.pause {
            throw failure.error
        }
        do {
            let connection = try PostgreSQLConnection(address, patience: patience, lockWait: lockWait)
            if state.withLock(\.isPrepared) { _ = try connection.reading(PostgreSQLSchema.knownVersion) }
            return connection
        } catch let error as PostgreSQLError {
            state.withLock { $0.failure = (error, .now) }
            throw error
        }
    }

    /// Reads that see one moment. `body` may run again.
    func read<T>(_ body: (any SQLSession) throws -> T) throws -> T { try using { try $0.reading(body) } }

    /// A transaction of what belongs to no gallery, and takes no number. `body` may run again.
    func transact<T>(_ body: (any SQLSession) throws -> T) throws -> T { try using { try $0.inTransaction(body) } }

    /// Of a connection that was lost while it was idle it takes no notice. The others that were idle are then forgotten too: to wait
    /// for each of them could take minutes.
    private func using<T>(_ work: (PostgreSQLConnection) throws -> T) throws -> T {
        if let connection = try takeIdle() {
            do {
                return try using(connection, work)
            } catch let error as PostgreSQLError where error.isLost {
                state.withLock { $0.idle = [] }
            }
        }
        return try using(connect(), work)
    }

    private func using<T>(_ connection: PostgreSQLConnection, _ work: (PostgreSQLConnection) throws -> T) throws -> T {
        defer { giveBack(connection) }
        return try work(connection)
    }

    private func takeIdle() throws -> PostgreSQLConnection? {
        try state.withLock { state in
            if state.isClosed { throw GalleryError.closed }
            return state.idle.popLast()
        }
    }

    private func giveBack(_ connection: PostgreSQLConnection) {
        if connection.isBroken { return }
        state.withLock { if !$0.isClosed { $0.idle.append(connection) } }
    }

    func close() {
        state.withLock { $0 = State(isClosed: true) }
    }
}
