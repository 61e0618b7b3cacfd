import Foundation
import Synchronization
import Threads

/// A PostgreSQL database that this process serves, alone or with others.
///
/// Transactions that write follow each other on one connection, as SQLite's do; those that read have a connection for each of their
/// threads. What a server has erased is deleted in the background, in pieces, by the leader of those that share the database.
final class PostgreSQLEngine: SQLEngine {
    let progress: IndexProgress
    let path: String
    let lostCommits = 0
    private let pool: PostgreSQLPool
    private let writer: PostgreSQLWriter
    private let readers: WorkerThreads
    private let writing: WorkerThreads
    private let loop = ErasureLoop()
    private let pace: Mutex<Pace>
    private let piece: Int
    /// nil where vectors are held in memory.
    private let vectors: (access: DatabaseIndex.Access, writer: SearchVectorWriter, indexer: VectorIndexer)?
    /// nil for a server alone.
    private let others: (follower: PostgreSQLFollower, membership: PostgreSQLMembership)?
    let sharing: SharedEngine?

    /// Takes a database, and makes its tables or brings them up to date. Blocks. Throws `GalleryError.unavailable` if it cannot be
    /// reached, `.notADatabase` and `.newerSchema` for what it is, `.olderServers` if its tables would change under others, `.inUse` if
    /// another server has it, and one of the two does not share.
    init(_ address: PostgreSQLAddress, configuration: GalleryConfiguration) throws {
        (path, piece) = (address.text, configuration.pieceBytes)
        let holds = configuration.index == .memory
        let progress = IndexProgress(holds: holds)
        self.progress = progress
        pool = PostgreSQLPool(address, lockWait: configuration.busyTimeout)
        let connection = try pool.connect()
        try PostgreSQLSchema.prepare(connection, address, isShared: configuration.sharing)
        pool.prepared()
        let schema = holds ? nil : try VectorSchema.prepare(connection, address)
        let searchWriter = schema.map { SearchVectorWriter(schema: $0) }
        progress.begin(at: try connection.reading(ChangeReader.place), follows: configuration.sharing)
        let follower = configuration.sharing ? PostgreSQLFollower(pool, progress) : nil
        writer = try PostgreSQLWriter(
            pool, connection,
            PostgreSQLWriter.Following(
                isShared: configuration.sharing, settle: { [progress] in progress.settle($0) },
                verify: { [follower] in try follower?.verify($0) }, vectors: searchWriter))
        others = try follower.map { [pool, progress] in
            (follower: $0, membership: try PostgreSQLMembership(pool, progress, configuration))
        }
        sharing = others.map { [pool] in
            SharedEngine(
                member: $0.membership.id, name: configuration.serverName, files: PostgreSQLSharedFiles(pool),
                claims: $0.membership.claims)
        }
        let readers = WorkerThreads("database reading", count: configuration.readers)
        self.readers = readers
        vectors = Self.vectors(searchWriter, pool, readers, others?.membership, configuration)
        writing = WorkerThreads("database writing", count: 1)
        pace = Mutex(Pace(configuration.pieceBytes, configuration.pieceBytes...configuration.pieceBytes * 16))
        loop.start { [weak self] deadline in try await self?.deleteErased(until: deadline) ?? true }
        progress.news.add { [loop] news in
            if news == .erasures || news == .leadership { loop.request() }
        }
    }

    private static func vectors(
        _ writer: SearchVectorWriter?, _ pool: PostgreSQLPool, _ readers: WorkerThreads,
        _ membership: PostgreSQLMembership?, _ configuration: GalleryConfiguration
    ) -> (DatabaseIndex.Access, SearchVectorWriter, VectorIndexer)? {
        guard let writer else { return nil }
        let access = DatabaseIndex.Access(schema: writer.schema, mostCompared: configuration.mostCompared) { search in
            try await readers.run { try GalleryError.translating { try pool.read(search) } }
        }
        let indexer = VectorIndexer(writer.schema, pool, least: configuration.mostCompared) {
            membership?.isLeader ?? true
        }
        return (access, writer, indexer)
    }

    func searches(of gallery: Int64, _ db: any SQLSession) throws -> [String: any SightingSearch] {
        guard let vectors else { return indexes.searches(of: gallery) }
        return try DatabaseIndex.all(of: gallery, vectors.access, db)
    }

    /// Writes what a server has not that held its vectors in memory; of others there is nothing to do.
    func load(_ threads: WorkerThreads, slices: Int) async throws -> DamagedVectors {
        guard let vectors else { return try await SQLStore.load(self, threads, slices: slices) }
        var damaged = DamagedVectors()
        while true {
            let step = try await write { [writer = vectors.writer] in try writer.fillNext($0) }
            damaged.add(step.damaged)
            if step.isDone { return damaged }
        }
    }

    /// Whoever shares a database begins to follow the others, and is up to date when this returns.
    func begin() async throws {
        if let follower = others?.follower {
            try await readers.run { try GalleryError.translating { try follower.catchUp() } }
            follower.start()
        }
        vectors?.indexer.start()
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

    /// Whoever is not the leader waits until that has done it. Where there is nothing to delete nothing is written, which others would
    /// have to follow.
    private func deleteErased(until deadline: ContinuousClock.Instant?) async throws -> Bool {
        while try await !read(Erasure.isComplete) {
            guard isLeader else { return false }
            let (bytes, start) = (pace.withLock { $0.amount }, ContinuousClock.now)
            _ = try await write { try Erasure.deletePiece($0, bytes: bytes) }
            pace.withLock { $0.adapt(to: .now - start) }
            if let deadline, .now >= deadline { return false }
        }
        return true
    }

    func close() async throws {
        await loop.stop()
        await vectors?.indexer.stop()
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
