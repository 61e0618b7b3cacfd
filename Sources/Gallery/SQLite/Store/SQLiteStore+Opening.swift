import Foundation
import GRDB
import Similarity
import Threads

extension SQLiteStore {
    /// Opens a database, making it if the file does not exist, brings its schema up to date and loads its embeddings into
    /// indexes, on so many threads. Throws as `GalleryStore.open` does.
    static func open(
        path: String, configuration: GalleryConfiguration, threads: WorkerThreads
    ) async throws -> SQLiteStore {
        let indexes = IndexRegistry()
        return try await GalleryError.translating {
            let connection = try await threads.run {
                try GalleryConnection(path: path, configuration: configuration)
            }
            let setAside = try await load(
                connection.pool, into: indexes, threads, slices: configuration.searchThreads)
            let store = SQLiteStore(
                configuration: configuration, connection: connection, indexes: indexes, threads: threads,
                setAside: setAside)
            store.events.reach(
                try await store.read { db in
                    try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'event'") ?? 0
                })
            store.reclaimer.request()
            return store
        }
    }

    /// All vectors, read on several threads at once while nobody writes.
    private static func load(
        _ pool: DatabasePool, into indexes: IndexRegistry, _ threads: WorkerThreads, slices: Int
    ) async throws -> DamagedVectors {
        let last = try await threads.run {
            try pool.read { try Int64.fetchOne($0, sql: "SELECT MAX(id) FROM embedding") ?? 0 }
        }
        let step = last / Int64(max(slices, 1)) + 1
        return try await withThrowingTaskGroup(of: DamagedVectors.self) { group in
            for slice in 0..<Int64(max(slices, 1)) {
                group.addTask {
                    let range = (slice * step)..<((slice + 1) * step)
                    return try await threads.run { try pool.read { try load($0, into: indexes, range) } }
                }
            }
            return try await group.reduce(into: DamagedVectors()) { $0.add($1) }
        }
    }

    /// The vectors of some rows, and of one model, by its row, or of all. One that cannot be used is set aside: the others
    /// are worth a start.
    @discardableResult static func load(
        _ db: Database, into indexes: IndexRegistry, _ range: Range<Int64> = 0..<Int64.max, model: Int64? = nil
    ) throws -> DamagedVectors {
        let rows = try Row.fetchCursor(
            db, sql: StartStatement.everyVector, arguments: [range.lowerBound, range.upperBound, model])
        var damaged = DamagedVectors()
        while let row = try rows.next() {
            if !load(row, into: indexes) { damaged.add(sighting: row[5], model: row[1]) }
        }
        return damaged
    }

    private static func load(_ row: Row, into indexes: IndexRegistry) -> Bool {
        let space = VectorSpace(combination: row[2], modalities: row[3], dimension: row[4])
        let stored = StoredVectors(modalities: row[9], isFused: row[10], bytes: row[11])
        let entry = VectorIndex.Entry(
            sighting: row[5], identity: row[6], camera: row[7], capturedAt: row[8], vectors: stored.vectors)
        return (1...SimilarityBlock.largestDimension).contains(space.dimension)
            && indexes.append(entry, to: IndexRegistry.Key(gallery: row[0], model: row[1]), space: space)
    }
}

/// What a start reads.
package enum StartStatement {
    /// As they were written. In another order SQLite would sort all vectors.
    package static let everyVector = """
        SELECT s.gallery_id, m.digest, m.combination, m.modalities, m.dimension, s.id, s.identity_id, s.camera,
            s.captured_at, e.modalities, e.is_fused, e.vectors
        FROM embedding e CROSS JOIN live_sighting s ON s.id = e.sighting_id CROSS JOIN live_model m ON m.id = e.model_id
        WHERE e.id >= ?1 AND e.id < ?2 AND (?3 IS NULL OR m.id = ?3) ORDER BY e.id
        """
}
