import Foundation
import GRDB
import Similarity
import Threads

/// How a store keeps and searches galleries.
public struct GalleryConfiguration: Sendable {
    /// Whether the images of a sighting are stored. Without them a new model cannot re-embed what is enrolled.
    public var keepsImages = true
    /// Seconds to wait for another connection before `GalleryError.busy`.
    public var busyTimeout: TimeInterval = 5
    /// How many connections read at the same time, at least one. They wait for the disk more than for the processor: one
    /// for each core by default, 4 to 32.
    public var readers = min(max(4, ProcessInfo.processInfo.activeProcessorCount), 32)
    /// How many queries are scored at the same time, at least one: by default half the cores, as the encoder needs them too,
    /// and 2 to 32, so that a small search never waits for one large one.
    public var searchThreads = min(max(2, ProcessInfo.processInfo.activeProcessorCount / 2), 32)
    /// Bytes on the disk that are kept back for erasures when it is full; 8 MiB and the largest enrolment are enough for
    /// certain. 0 for none.
    public var reserveBytes = 16 << 20
    /// About how many bytes an erasure deletes in its first transaction, and at most sixteen times as many in a later one.
    package var pieceBytes = 1 << 20

    /// The defaults.
    public init() {}
}

/// Galleries of identities, their sightings, images and embeddings, in one SQLite database, and an exact search in
/// memory over the embeddings.
///
/// Everything that changes the galleries is committed to the disk before its method returns, in one transaction each,
/// and survives the end of the process and the loss of power from then on. The index follows in the same breath: on the
/// writer's queue, after the commit and before the method returns, so its order is the order of commits. What was erased
/// is hidden in that transaction; its bytes are deleted in the background, see `erasure`.
///
/// One store owns a database; other connections may read it. All methods throw `GalleryError`, or `CancellationError` if
/// their task was cancelled, and none blocks Swift's cooperative pool.
public final class GalleryStore: Sendable {
    /// The most elements that a vector can have here.
    public static let largestDimension = SimilarityBlock.largestDimension

    let configuration: GalleryConfiguration
    private let ownership: DatabaseOwnership
    let pool: DatabasePool
    let reclaimer: Reclaimer
    private let commits: CommitCounter
    /// The database's file, whatever links lead to it.
    public let path: String
    /// What the start found to be wrong.
    public let damage: GalleryDamage
    let indexes: IndexRegistry
    let threads: WorkerThreads

    init(
        configuration: GalleryConfiguration, connection: GalleryConnection, indexes: IndexRegistry,
        threads: WorkerThreads, setAside: DamagedVectors
    ) {
        self.configuration = configuration
        (commits, path) = (connection.commits, connection.files.path)
        damage = GalleryDamage(lostCommits: connection.commits.lost, vectors: setAside)
        self.indexes = indexes
        self.threads = threads
        (ownership, pool) = (connection.ownership, connection.pool)
        reclaimer = Reclaimer(connection, piece: configuration.pieceBytes)
    }

    /// Closes the database; every later call fails. Waits for calls in progress. Erasures that would take longer than a
    /// moment go on when the database is next opened.
    public func close() async throws {
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
        try await GalleryError.translating {
            try await pool.write { [commits] db in
                try commits.count(db)
                return try body(db)
            }
        }
    }

    /// Runs a transaction that deletes or marks what is to be deleted; the rest follows in the background.
    func erase<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await reclaimer.erase { [commits] db in
            try commits.count(db)
            return try body(db)
        }
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
