import Foundation
import Synchronization
import Threads

/// A PostgreSQL database that this process serves, alone or with others.
///
/// Transactions that write follow each other on one connection, as SQLite's do; those that read have a connection for each of their
/// threads. What a server has erased is deleted in the background, in pieces, by the leader of those that share the database.
final class PostgreSQLEngine: SQLEngine {
    let progress = IndexProgress()
    let path: String
    let lostCommits = 0
    private let pool: PostgreSQLPool
    private let writer: PostgreSQLWriter
    private let readers: WorkerThreads
    private let writing: WorkerThreads
    private let loop = ErasureLoop()
    private let pace: Mutex<Pace>
    private let piece: Int
    /// nil for a server alone.
    private let others: (follower: PostgreSQLFollower, membership: PostgreSQLMembership)?
    let sharing: SharedEngine?

    /// Takes a database, and makes its tables or brings them up to date. Blocks. Throws `GalleryError.unavailable` if it cannot be
    /// reached, `.notADatabase` and `.newerSchema` for what it is, `.inUse` if another server has it, and one of the two does not share.
    init(_ address: PostgreSQLAddress, configuration: GalleryConfiguration) throws {
        (path, piece) = (address.text, configuration.pieceBytes)
        pool = PostgreSQLPool(address, lockWait: configuration.busyTimeout)
        let connection = try pool.connect()
        try PostgreSQLSchema.prepare(connection, address, isShared: configuration.sharing)
        progress.begin(at: try connection.reading(ChangeReader.place), follows: configuration.sharing)
        let follower = configuration.sharing ? PostgreSQLFollower(pool, progress) : nil
        writer = try PostgreSQLWriter(
            pool, connection,
            PostgreSQLWriter.Following(
                isShared: configuration.sharing, settle: { [progress] in progress.settle($0) },
                verify: { [follower] in try follower?.verify($0) }))
        others = try follower.map { [pool, progress] in
            (follower: $0, membership: try PostgreSQLMembership(pool, progress, configuration))
        }
        sharing = others.map { [pool] in SharedEngine(member: $0.membership.id, files: PostgreSQLSharedFiles(pool)) }
        readers = WorkerThreads("database reading", count: configuration.readers)
        writing = WorkerThreads("database writing", count: 1)
        pace = Mutex(Pace(configuration.pieceBytes, configuration.pieceBytes...configuration.pieceBytes * 16))
        loop.start { [weak self] deadline in try await self?.deleteErased(until: deadline) ?? true }
        progress.news.add { [loop] news in
            if news == .erasures || news == .leadership { loop.request() }
        }
    }

    /// Whoever shares a database begins to follow the others, and is up to date when this returns.
    func begin() async throws {
        if let follower = others?.follower {
            try await readers.run { try GalleryError.translating { try follower.catchUp() } }
            follower.start()
        }
        loop.request()
    }

    var isLeader: Bool { others?.membership.isLeader ?? true }

    func follow() async throws -> Bool {
        guard let follower = others?.follower else { return false }
        return try await readers.run { [progress] in
            let before = progress.sequence
            try GalleryError.translating { try follower.catchUp() }
            return progress.sequence > before
        }
    }

    func members() async throws -> [GalleryMember] {
        others == nil ? [] : try await read(PostgreSQLMembership.all)
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await readers.run { [self] in try readNow(body) }
    }

    func readNow<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        try GalleryError.translating { try pool.read(body) }
    }

    /// In the name of who has asked for it: the thread knows of no task.
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await writing.run { [self, key = Audit.key] in
            let result = try GalleryError.translating { try Audit.$key.withValue(key) { try writer.write(body) } }
            // Where others have written before it. What cannot be read now is followed later; until then nothing is answered.
            try? others?.follower.catchUp(to: progress.committed)
            progress.acknowledge()
            return result
        }
    }

    /// Deletes a first piece with it, so that a small erasure is done by then.
    func erase<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        let result = try await write { [piece] db in
            let result = try body(db)
            if try Erasure.deletePiece(db, bytes: piece) { db.tell(.erasures) }
            return result
        }
        loop.request()
        return result
    }

    /// Whoever is not the leader waits until that has done it.
    private func deleteErased(until deadline: ContinuousClock.Instant?) async throws -> Bool {
        guard isLeader else { return try await read(Erasure.isComplete) }
        while true {
            let (bytes, start) = (pace.withLock { $0.amount }, ContinuousClock.now)
            if try await !write({ try Erasure.deletePiece($0, bytes: bytes) }) { break }
            pace.withLock { $0.adapt(to: .now - start) }
            if let deadline, .now >= deadline { return false }
        }
        return true
    }

    func close() async throws {
        await loop.stop()
        await others?.follower.stop()
        await others?.membership.stop()
        try await writing.run { [writer, pool] in
            writer.close()
            pool.close()
        }
    }
}

extension PostgreSQLEngine {
    var erasure: ErasureStatus { loop.status }

    /// The server knows what its disks have left, and does not say.
    var storage: StorageStatus {
        let bytes = try? readNow { try $0.value(Int.self, "SELECT pg_database_size(current_database())") }
        return StorageStatus(database: (bytes ?? nil) ?? 0, log: 0, free: nil)
    }

    func backup(to path: String) async throws {
        throw GalleryError.invalid(
            field: "database", expected: "one in a file: PostgreSQL's own tools make backups of it", found: self.path)
    }

    /// PostgreSQL holds its constraints itself; what was enrolled is compared with its digests.
    func checkIntegrity() async throws {
        let changed = try await read { db in
            try db.values(Int64.self, "SELECT id FROM live_sighting").filter { id in
                let known = try db.value(Data.self, "SELECT digest FROM sighting_digest WHERE sighting_id = ?", [id])
                return try known != RowDigest.sighting(id, db)
            }
        }
        guard changed.isEmpty else { throw GalleryError.storage("integrity: \(changed.count) sightings have changed") }
    }

    /// Whether a commit waits for the disk, of this server and, where there are such, of the standbys that it must wait for.
    func isDurable() async throws -> Bool {
        try await read { db in
            let row = try db.only("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
            return row[0] as String == "on" && row[1] as String != "off"
        }
    }
}
