import Foundation
import GRDB
import Threads

/// One SQLite database that this process owns; other connections may read it.
///
/// A transaction is on the disk, log synced, before its method returns. What was erased is hidden in that transaction, and
/// deleted in the background by `reclaimer`.
final class SQLiteEngine: SQLEngine {
    let progress = IndexProgress()
    let lostCommits: Int
    private let pool: DatabasePool
    private let reclaimer: Reclaimer
    private let files: DatabaseFiles
    private let ownership: DatabaseOwnership
    private let commits: CommitCounter
    private let threads: WorkerThreads

    /// Takes a database, making it if the file does not exist, and brings its schema up to date.
    init(path: String, configuration: GalleryConfiguration, threads: WorkerThreads) throws {
        let connection = try GalleryConnection(path: path, configuration: configuration)
        (commits, files, self.threads) = (connection.commits, connection.files, threads)
        (ownership, pool, lostCommits) = (connection.ownership, connection.pool, connection.commits.lost)
        reclaimer = Reclaimer(connection, piece: configuration.pieceBytes)
        progress.begin(at: IndexPlace(sequence: commits.last), follows: false)
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

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await GalleryError.translating { try await pool.read { try body(SQLiteSession($0)) } }
    }

    func readNow<T>(_ body: (any SQLSession) throws -> T) throws -> T {
        try GalleryError.translating { try pool.read { try body(SQLiteSession($0)) } }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        let counted = counted(body)
        return try await GalleryError.translating { try await pool.write(counted) }
    }

    func erase<T: Sendable>(_ body: @escaping @Sendable (any SQLSession) throws -> T) async throws -> T {
        try await reclaimer.erase(counted(body))
    }

    func begin() async throws { reclaimer.request() }

    /// It owns its database.
    var isLeader: Bool { true }
    func follow() async throws -> Bool { false }
    func members() async throws -> [GalleryMember] { [] }

    /// The same with the commit counted, and done in the name of who has asked for it: the database's own thread knows of no task.
    private func counted<T: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws -> T
    ) -> @Sendable (Database) throws -> T {
        { [commits, key = Audit.key, self] db in
            let sequence = try commits.count(db)
            let result = try Audit.$key.withValue(key) { try body(SQLiteSession(db, self)) }
            // After the indexes, which have asked to be told before.
            db.afterNextTransaction { [progress] _ in
                progress.settle(CommittedChanges(place: IndexPlace(sequence: sequence)))
            }
            return result
        }
    }

    var path: String { files.path }
    var erasure: ErasureStatus { reclaimer.status }
    var storage: StorageStatus { files.storage }

    func backup(to path: String) async throws {
        try await GalleryError.translating { try await pool.read { db in try DatabaseFiles.copy(db, to: path) } }
    }

    func checkIntegrity() async throws {
        try await read { db in
            var report = GalleryCheck.Report()
            try SQLiteStructure.examine(db, &report)
            guard report.count == 0 else {
                let some = report.findings.prefix(10).map(\.detail).joined(separator: "; ")
                throw GalleryError.storage("integrity: \(some)")
            }
        }
    }

    /// `synchronous` is 2, FULL, on the connection that writes: it syncs the log at every commit.
    func isDurable() async throws -> Bool {
        try await GalleryError.translating {
            try await pool.writeWithoutTransaction { try SQLiteSession($0).only("PRAGMA synchronous")[0] } == 2
        }
    }
}

/// What SQLite says of a file that is its.
enum SQLiteStructure {
    /// Every page, and every reference to a row.
    static func examine(_ db: any SQLSession, _ report: inout GalleryCheck.Report) throws {
        try db.forEach("PRAGMA integrity_check", []) { row in
            let finding: String = row[0]
            guard finding != "ok" else { return }
            report.add("pages", finding, repair: finding.contains("index") ? "make the indexes anew" : nil)
        }
        try db.forEach("PRAGMA foreign_key_check", []) { row in
            report.add("references", "row \(row[1] as Int64? ?? 0) of \(row[0] as String) belongs to nothing")
        }
    }
}
