import Foundation
import GRDB
import Synchronization

/// Finishes erasures in the background: deletes what is marked, gives free pages back to the file system and empties the
/// log, which still has what was written before. One pass at a time, each for all that was asked for meanwhile.
///
/// Everything goes in short transactions, between which others write. The log is emptied by a connection of its own, which
/// holds up a writer for a few hundredths of a second at most; while another program reads, it tries again later.
final class Reclaimer: Sendable {
    private struct State {
        /// Whether something was erased since the last pass that got through.
        var hasErased = false
        /// Since the disk was found full: nothing is overwritten that the file system gets back anyway.
        var isSparing = false
        var deletion: Pace
        var vacuum = Pace(1 << 20, 1 << 16...1 << 24)
    }

    /// Nothing is deleted while the log is larger and cannot be emptied: deleting makes it grow.
    private static let largestLog = 64 << 20

    private let files: DatabaseFiles
    private let pool: DatabasePool
    private let log: DatabaseQueue
    private let reserve: DiskReserve
    private let piece: Int
    private let state: Mutex<State>
    private let loop = ErasureLoop()

    /// Begins to wait for requests. `piece` is how many bytes an erasure deletes in its first transaction.
    init(_ connection: GalleryConnection, piece: Int) {
        (files, pool, log, reserve) = (connection.files, connection.pool, connection.log, connection.reserve)
        self.piece = piece
        state = Mutex(State(deletion: Pace(piece, piece...piece * 16)))
        loop.start { [weak self] deadline in try await self?.pass(until: deadline) ?? true }
    }

    /// How far erasures are.
    var status: ErasureStatus { loop.status }

    /// Asks for a pass.
    func request() { loop.request() }

    /// Runs a transaction that deletes or marks, deletes a first piece with it, and asks for the rest. A small erasure is
    /// done by then.
    func erase<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        let (result, _) = try await transaction { [piece] db in
            (try body(db), try Erasure.deletePiece(SQLiteSession(db), bytes: piece))
        }
        state.withLock { $0.hasErased = true }
        request()
        return result
    }

    /// Ends the passes, after a last one that does what it can in a moment.
    func stop() async { await loop.stop() }

    /// Closes the connection to the log: the last one, so that SQLite takes the log away.
    func close() throws { try log.close() }
}

extension Reclaimer {
    /// Does all there is to do. False if something kept it from that.
    private func pass(until deadline: ContinuousClock.Instant?) async throws -> Bool {
        do {
            let isDone = try await repeatedly(until: deadline, deletePiece)
            let isSmall = try await repeatedly(until: deadline, vacuumPiece)
            let isEmpty = try await emptyLog()
            guard isDone && isSmall && isEmpty else { return false }
        } catch GalleryError.full {
            // The log alone may wait for room; the reserve is for the next erasure.
            let isNeeded = state.withLock { state in
                state.isSparing = true
                return state.hasErased
            }
            if isNeeded { reserve.release() }
            throw GalleryError.full
        }
        reserve.restore()
        state.withLock { ($0.hasErased, $0.isSparing) = (false, false) }
        return true
    }

    /// Runs a step until it says that there is nothing left; false if something is.
    private func repeatedly(
        until deadline: ContinuousClock.Instant?, _ step: () async throws -> Bool
    ) async throws -> Bool {
        while try await step() {
            if let deadline, .now >= deadline { return false }
            if logBytes > Self.largestLog, try await !emptyLog() { return false }
        }
        return true
    }

    private var logBytes: Int {
        var status = stat()
        return stat(files.path + "-wal", &status) == 0 ? Int(status.st_size) : 0
    }

    private func deletePiece() async throws -> Bool {
        let bytes = state.withLock { $0.deletion.amount }
        let start = ContinuousClock.now
        let isMore = try await transaction { db in try Erasure.deletePiece(SQLiteSession(db), bytes: bytes) }
        state.withLock { $0.deletion.adapt(to: .now - start) }
        return isMore
    }

    /// Gives pages back to the file system, moving others into their place.
    private func vacuumPiece() async throws -> Bool {
        let bytes = state.withLock { $0.isSparing ? 1 << 18 : $0.vacuum.amount }
        let start = ContinuousClock.now
        let isMore = try await transaction { db in
            let free: Int = try Row.only(db, "PRAGMA freelist_count", [])[0]
            if free == 0 { return false }
            let page: Int = try Row.only(db, "PRAGMA page_size", [])[0]
            try db.execute(sql: "PRAGMA incremental_vacuum(\(max(1, bytes / page)))")
            let rest: Int = try Row.only(db, "PRAGMA freelist_count", [])[0]
            // A database that cannot be vacuumed keeps its pages.
            return rest > 0 && rest < free
        }
        state.withLock { $0.vacuum.adapt(to: .now - start) }
        return isMore
    }

    /// Runs a transaction that frees space; with a full disk again, once the reserve is given up.
    private func transaction<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) async throws -> T {
        do {
            return try await attempt(body)
        } catch GalleryError.full {
            state.withLock { $0.isSparing = true }
            if reserve.release() {
                do { return try await attempt(body) } catch GalleryError.full {}
            }
            // Not before: what was enrolled last may be in the log alone, and the database take all the room for it.
            _ = try? await emptyLog()
            return try await attempt(body)
        }
    }

    private func attempt<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        let isSparing = state.withLock { $0.isSparing }
        return try await GalleryError.translating {
            try await pool.writeWithoutTransaction { db in
                if isSparing { try db.spareLog() }
                defer { if isSparing { db.spendLog() } }
                var result: T?
                try db.inTransaction {
                    result = try body(db)
                    return .commit
                }
                guard let result else { throw GalleryError.storage("a transaction gave nothing") }
                return result
            }
        }
    }

    /// Moves the log into the database, without holding anybody up, and then empties it if nobody reads from it. False if
    /// somebody does.
    private func emptyLog() async throws -> Bool {
        do {
            return try await log.writeWithoutTransaction { db in
                let moved = try db.checkpoint(.passive)
                guard moved.walFrameCount == moved.checkpointedFrameCount else { return false }
                _ = try db.checkpoint(.truncate)
                return true
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY {
            return false
        } catch let error as DatabaseError {
            throw GalleryError(error)
        }
    }
}

extension Database {
    /// For a full disk. Zeros take as much room in the log as what they overwrite; without them pages are free with their
    /// old bytes in them until the vacuum, in a moment, gives them back.
    fileprivate func spareLog() throws {
        try execute(sql: "PRAGMA secure_delete = FAST")
        try execute(sql: "PRAGMA wal_autocheckpoint = 0")
    }

    /// As it was before `spareLog`.
    fileprivate func spendLog() {
        try? execute(sql: "PRAGMA secure_delete = ON")
        try? execute(sql: "PRAGMA wal_autocheckpoint = 1000")
    }
}
