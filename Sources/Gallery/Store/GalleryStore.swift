import Foundation
import GRDB
import Threads

/// Galleries of identities, their sightings, images and embeddings, in one SQLite database, and an exact search in
/// memory over the embeddings.
///
/// Everything that changes the galleries is committed to the disk before its method returns, in one transaction each,
/// and survives the end of the process and the loss of power from then on. The index follows in the same breath: on the
/// writer's queue, after the commit and before the method returns, so its order is the order of commits.
///
/// One store owns a database; other connections may read it. All methods throw `GalleryError`, or `CancellationError` if
/// their task was cancelled, and none blocks Swift's cooperative pool.
public final class GalleryStore: Sendable {
    let configuration: GalleryConfiguration
    private let ownership: DatabaseOwnership
    let pool: DatabasePool
    let indexes: IndexRegistry
    let threads: WorkerThreads

    init(
        configuration: GalleryConfiguration, ownership: DatabaseOwnership, pool: DatabasePool, indexes: IndexRegistry,
        threads: WorkerThreads
    ) {
        self.configuration = configuration
        self.ownership = ownership
        self.pool = pool
        self.indexes = indexes
        self.threads = threads
    }

    /// Closes the database; every later call fails. Waits for calls in progress.
    public func close() async throws {
        // GRDB closes the writing connection before those that read, so SQLite would leave the log behind, full.
        await reclaim()
        try await GalleryError.translating {
            try await threads.run { [pool] in try pool.close() }
        }
        ownership.release()
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await GalleryError.translating { try await pool.read(body) }
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws -> T {
        try await GalleryError.translating { try await pool.write(body) }
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
