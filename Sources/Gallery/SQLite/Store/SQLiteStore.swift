import Foundation
import GRDB
import Threads

/// Galleries in one SQLite database that this process owns; other connections may read it.
///
/// A transaction is on the disk, log synced, before its method returns. What was erased is hidden in that transaction, and
/// deleted in the background by `reclaimer`.
final class SQLiteStore: GalleryTransactions {
    let indexes: IndexRegistry
    var path: String { files.path }
    let damage: GalleryDamage
    let configuration: GalleryConfiguration
    let pool: DatabasePool
    let reclaimer: Reclaimer
    let events = EventCounter()
    private let files: DatabaseFiles
    private let ownership: DatabaseOwnership
    private let commits: CommitCounter
    private let threads: WorkerThreads

    init(
        configuration: GalleryConfiguration, connection: GalleryConnection, indexes: IndexRegistry,
        threads: WorkerThreads, setAside: DamagedVectors
    ) {
        (self.configuration, self.indexes, self.threads) = (configuration, indexes, threads)
        (commits, files) = (connection.commits, connection.files)
        damage = GalleryDamage(lostCommits: connection.commits.lost, vectors: setAside)
        (ownership, pool) = (connection.ownership, connection.pool)
        reclaimer = Reclaimer(connection, piece: configuration.pieceBytes)
    }

    /// Erasures that would take longer than a moment go on when the database is next opened.
    func close() async throws {
        await reclaimer.stop()
        try await GalleryError.translating {
            try await threads.run { [pool, reclaimer] in
                try pool.close()
                try reclaimer.close()
            }
        }
        ownership.release()
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await GalleryError.translating { try await pool.read(body) }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        let counted = counted(body)
        return try await GalleryError.translating { try await pool.write(counted) }
    }

    /// Runs a transaction that deletes or marks what is to be deleted; the rest follows in the background.
    func erase<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await reclaimer.erase(counted(body))
    }

    /// The same with the commit counted, and done in the name of who has asked for it: the database's own thread knows of no task.
    private func counted<T: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> T
    ) -> @Sendable (Database) throws -> T {
        { [commits, key = Audit.key] db in
            try commits.count(db)
            return try Audit.$key.withValue(key) { try body(db) }
        }
    }

    var erasure: ErasureStatus { reclaimer.status }
    var storage: StorageStatus { files.storage }

    func backup(to path: String) async throws {
        try await read { db in try DatabaseFiles.copy(db, to: path) }
    }

    func checkIntegrity() async throws {
        try await read { db in
            let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check")
            guard findings == ["ok"] else {
                throw GalleryError.storage("integrity: \(findings.prefix(10).joined(separator: "; "))")
            }
            let dangling = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            guard dangling == 0 else { throw GalleryError.storage("integrity: \(dangling) dangling references") }
        }
    }

    /// `synchronous` is 2, FULL, on the connection that writes: it syncs the log at every commit.
    func isDurable() async throws -> Bool {
        try await GalleryError.translating {
            try await pool.writeWithoutTransaction { try Row.only($0, "PRAGMA synchronous", [])[0] } == 2
        }
    }
}

extension Database {
    /// Has indexes follow the transaction: on the writer's queue, after the commit and before whoever wrote goes on, so their
    /// order is the order of commits. Of one that is rolled back they learn nothing.
    func apply(_ changes: [IndexChange], to indexes: IndexRegistry) {
        afterNextTransaction { _ in indexes.apply(changes) }
    }
}

extension Row {
    /// The first row of a query that has at least one.
    static func only(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws -> Row {
        guard let row = try fetchOne(db, sql: sql, arguments: arguments) else {
            throw GalleryError.storage("a row that must be there is missing: \(sql)")
        }
        return row
    }
}
