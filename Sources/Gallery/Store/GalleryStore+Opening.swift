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

    /// As they were written: the vectors of a sighting and model were inserted together, the main one first, as an index
    /// wants them. In another order SQLite would sort all vectors.
    package static let everyVector = """
        SELECT s.gallery_id, m.digest, m.dimension, s.id, s.identity_id, s.camera, s.captured_at, e.modalities,
            e.is_main, e.vector
        FROM embedding e CROSS JOIN live_sighting s ON s.id = e.sighting_id CROSS JOIN live_model m ON m.id = e.model_id
        ORDER BY e.id
        """

    private static func load(_ db: Database, into indexes: IndexRegistry) throws {
        let rows = try Row.fetchCursor(db, sql: everyVector)
        while let row = try rows.next() {
            try row.withUnsafeData(atIndex: 9) { try load(row, vector: $0, into: indexes) }
        }
    }

    /// The vector's bytes are SQLite's own; the index copies them into place.
    private static func load(_ row: Row, vector: Data?, into indexes: IndexRegistry) throws {
        let dimension: Int = row[2]
        let entry = IndexEntry(
            sighting: row[3], identity: row[4], camera: row[5], capturedAt: row[6], modalities: row[7],
            isMain: row[8], vector: vector ?? Data())
        guard (1...SimilarityBlock.largestDimension).contains(dimension), entry.vector.count == 4 * dimension,
            indexes.append(entry, to: IndexRegistry.Key(gallery: row[0], model: row[1]))
        else { throw GalleryError.storage("sighting \(entry.sighting) has no unit vector of \(dimension) elements") }
    }
}
