import Foundation
import GRDB
import Similarity
import Threads

extension GalleryStore {
    /// Opens a database, making it if the file does not exist, brings its schema up to date and loads its embeddings.
    /// Erasures that were not finished go on.
    ///
    /// Throws `GalleryError.notADatabase` for any other file, an empty one included, and `.newerSchema` for a database of a
    /// later release, both before anything is written, `.inUse` if it is open already by any of its names, and `.storage` if
    /// the path cannot be opened. O(embeddings · dimension).
    public static func open(
        path: String, configuration: GalleryConfiguration = GalleryConfiguration()
    ) async throws -> GalleryStore {
        let threads = WorkerThreads("search", count: configuration.searchThreads)
        let store = try await GalleryError.translating {
            try await threads.run {
                let connection = try GalleryConnection(path: path, configuration: configuration)
                let indexes = IndexRegistry()
                try connection.pool.read { try load($0, into: indexes) }
                return GalleryStore(
                    configuration: configuration, connection: connection, indexes: indexes, threads: threads)
            }
        }
        store.reclaimer.request()
        return store
    }

    /// As they were written. In another order SQLite would sort all vectors.
    package static let everyVector = """
        SELECT s.gallery_id, m.digest, m.combination, m.modalities, m.dimension, s.id, s.identity_id, s.camera,
            s.captured_at, e.modalities, e.is_fused, e.vectors
        FROM embedding e CROSS JOIN live_sighting s ON s.id = e.sighting_id CROSS JOIN live_model m ON m.id = e.model_id
        WHERE ?1 IS NULL OR m.id = ?1 ORDER BY e.id
        """

    /// All vectors, or those of one model, by its row.
    static func load(_ db: Database, into indexes: IndexRegistry, model: Int64? = nil) throws {
        let rows = try Row.fetchCursor(db, sql: everyVector, arguments: [model])
        while let row = try rows.next() { try load(row, into: indexes) }
    }

    private static func load(_ row: Row, into indexes: IndexRegistry) throws {
        let space = VectorSpace(combination: row[2], modalities: row[3], dimension: row[4])
        let stored = StoredVectors(modalities: row[9], isFused: row[10], bytes: row[11])
        let entry = VectorIndex.Entry(
            sighting: row[5], identity: row[6], camera: row[7], capturedAt: row[8], vectors: stored.vectors)
        guard (1...SimilarityBlock.largestDimension).contains(space.dimension),
            indexes.append(entry, to: IndexRegistry.Key(gallery: row[0], model: row[1]), space: space)
        else { throw GalleryError.storage("sighting \(entry.sighting) has no vectors of \(space.dimension) elements") }
    }
}
