import Foundation
import Synchronization

/// Connections that read: as many as there are threads that use them at the same time, made when they are needed.
final class PostgreSQLPool: Sendable {
    private struct State {
        var idle: [PostgreSQLConnection] = []
        var isClosed = false
    }

    let address: PostgreSQLAddress
    private let lockWait: TimeInterval
    private let state = Mutex(State())

    /// How long an answer may take.
    static let patience = Duration.seconds(60)

    init(_ address: PostgreSQLAddress, lockWait: TimeInterval) { (self.address, self.lockWait) = (address, lockWait) }

    func connect() throws -> PostgreSQLConnection {
        try PostgreSQLConnection(address, patience: Self.patience, lockWait: lockWait)
    }

    /// Reads that see one moment. Of connections that were lost while they were idle it takes no notice; `body` may run again.
    func read<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        while let connection = try takeIdle() {
            do { return try read(connection, body) } catch let error as PostgreSQLError where error.isLost { continue }
        }
        return try read(connect(), body)
    }

    private func read<T>(_ connection: PostgreSQLConnection, _ body: (any SQLSession) throws -> T) throws -> T {
        defer { giveBack(connection) }
        return try connection.reading(body)
    }

    private func takeIdle() throws -> PostgreSQLConnection? {
        try state.withLock { state in
            if state.isClosed { throw GalleryError.storage("the database was closed") }
            return state.idle.popLast()
        }
    }

    private func giveBack(_ connection: PostgreSQLConnection) {
        if connection.isBroken { return }
        state.withLock { if !$0.isClosed { $0.idle.append(connection) } }
    }

    func close() {
        state.withLock { $0 = State(idle: [], isClosed: true) }
    }
}
