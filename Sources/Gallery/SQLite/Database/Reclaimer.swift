import Foundation
import GRDB
import Synchronization

/// How far erasures are.
public struct ErasureStatus: Sendable, Equatable {
    /// Whether no byte of what was erased is left in the database or its log.
    public var isComplete: Bool
    /// What kept the last try from getting on; nil also while another program, reading an old state, keeps the log from
    /// being emptied.
    public var failure: GalleryError?
}

/// Finishes erasures in the background: deletes what is marked, gives free pages back to the file system and empties the
/// log, which still has what was written before. One pass at a time, each for all that was asked for meanwhile.
///
/// Everything goes in short transactions, between which others write. The log is emptied by a connection of its own, which
/// holds up a writer for a few hundredths of a second at most; while another program reads, it tries again later.
final class Reclaimer: Sendable {
    private struct State {
        var requested = 0
        var completed = 0
        var failure: GalleryError?
        /// Whether something was erased since the last pass that got through.
        var hasErased = false
        /// Since the disk was found full: nothing is overwritten that the file system gets back anyway.
        var isSparing = false
        var deletion: Pace
        var vacuum = Pace(1 << 20, 1 << 16...1 << 24)
    }

    private static let debounce = Duration.milliseconds(100)
    private static let longestWait = Duration.seconds(2)
    /// What `stop` may still take.
    private static let lastPass = Duration.seconds(2)
    /// Nothing is deleted while the log is larger and cannot be emptied: deleting makes it grow.
    private static let largestLog = 64 << 20

    private let files: DatabaseFiles
    private let pool: DatabasePool
    private let log: DatabaseQueue
    private let reserve: DiskReserve
    private let piece: Int
    private let state: Mutex<State>
    private let wake: AsyncStream<Void>.Continuation
    private let loop = Mutex<Task<Void, Never>?>(nil)

    /// Begins to wait for requests. `piece` is how many bytes an erasure deletes in its first transaction.
    init(_ connection: GalleryConnection, piece: Int) {
        (files, pool, log, reserve) = (connection.files, connection.pool, connection.log, connection.reserve)
        self.piece = piece
        state = Mutex(State(deletion: Pace(piece, piece...piece * 16)))
        let (requests, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.wake = wake
        let task = Task.detached(priority: .utility) { [weak self] in
            for await _ in requests {
                try? await Task.sleep(for: Self.debounce)
                var wait = Self.debounce
                while !Task.isCancelled, await self?.pass(until: nil) == false {
                    try? await Task.sleep(for: wait)
                    wait = min(wait * 2, Self.longestWait)
                }
            }
        }
        loop.withLock { $0 = task }
    }

    deinit { loop.withLock { $0?.cancel() } }

    /// How far erasures are.
    var status: ErasureStatus {
        state.withLock { ErasureStatus(isComplete: $0.completed == $0.requested, failure: $0.failure) }
    }

    /// Asks for a pass.
    func request() {
        state.withLock { $0.requested += 1 }
        wake.yield()
    }

    /// Runs a transaction that deletes or marks, deletes a first piece with it, and asks for the rest. A small erasure is
    /// done by then.
    func erase<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        let (result, _) = try await transaction { [piece] db in
            (try body(db), try Erasure.deletePiece(db, bytes: piece))
        }
        state.withLock { $0.hasErased = true }
        request()
        return result
    }

    /// Ends the passes, after a last one that does what it can in a moment.
    func stop() async {
        wake.finish()
        let task = loop.withLock { $0 }
        task?.cancel()
        await task?.value
        if status.isComplete { return }
        // A task of its own, which is not cancelled even if the one that closes is.
        await Task.detached { _ = await self.pass(until: .now + Self.lastPass) }.value
    }

    /// Closes the connection to the log: the last one, so that SQLite takes the log away.
    func close() throws { try log.close() }
}

extension Reclaimer {
    /// Does all there is to do. False if something kept it from that.
    private func pass(until deadline: ContinuousClock.Instant?) async -> Bool {
        let covered = state.withLock { $0.requested }
        do {
            let isDone = try await repeatedly(until: deadline, deletePiece)
            let isSmall = try await repeatedly(until: deadline, vacuumPiece)
            let isEmpty = try await emptyLog()
            guard isDone && isSmall && isEmpty else { return false }
        } catch {
            let failure = error as? GalleryError
            let isNeeded = state.withLock { state in
                state.failure = failure
                if failure == .full { state.isSparing = true }
                return failure == .full && state.hasErased
            }
            // The log alone may wait for room; the reserve is for the next erasure.
            if isNeeded { reserve.release() }
            return false
        }
        reserve.restore()
        state.withLock { ($0.completed, $0.failure, $0.hasErased, $0.isSparing) = (covered, nil, false, false) }
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
        let isMore = try await transaction { db in try Erasure.deletePiece(db, bytes: bytes) }
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

/// How much to do in one transaction, so that it holds the writer for about a fiftieth of a second.
private struct Pace {
    private(set) var amount: Int
    private let range: ClosedRange<Int>

    init(_ amount: Int, _ range: ClosedRange<Int>) { (self.amount, self.range) = (amount, range) }

    mutating func adapt(to elapsed: Duration) {
        if elapsed < .milliseconds(10) { amount = min(amount * 2, range.upperBound) }
        if elapsed > .milliseconds(25) { amount = max(amount / 2, range.lowerBound) }
    }
}
