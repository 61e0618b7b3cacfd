import Foundation
import GRDB
import Similarity
import Threads

extension GalleryStore {
    /// Opens a database, making it if the file does not exist, brings its schema up to date and loads its embeddings.
    ///
    /// Throws `GalleryError.notADatabase` for any other file and `.newerSchema` for a database of a later release, both
    /// before anything is written, `.inUse` if it is open already, and `.storage` if the path cannot be opened. O(embeddings · dimension).
    public static func open(
        path: String, configuration: GalleryConfiguration = GalleryConfiguration()
    ) async throws -> GalleryStore {
        let threads = WorkerThreads("search", count: configuration.searchThreads)
        let store = try await GalleryError.translating {
            try await threads.run {
                try inspectFile(path, configuration)
                let ownership = try DatabaseOwnership(of: path)
                let pool = try makePool(path, configuration)
                let indexes = IndexRegistry()
                try pool.read { try load($0, into: indexes) }
                return GalleryStore(
                    configuration: configuration, ownership: ownership, pool: pool, indexes: indexes, threads: threads)
            }
        }
        await store.reclaim()
        return store
    }

    /// Read-only, so that a file that is not ours is left as it was.
    private static func inspectFile(_ path: String, _ configuration: GalleryConfiguration) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else { return }
        if isDirectory.boolValue { throw GalleryError.notADatabase("\(path) is a directory") }
        var options = Configuration()
        options.readonly = true
        options.busyMode = .timeout(configuration.busyTimeout)
        let queue = try DatabaseQueue(path: path, configuration: options)
        defer { try? queue.close() }
        try queue.read(Schema.inspect)
    }

    private static func makePool(_ path: String, _ configuration: GalleryConfiguration) throws -> DatabasePool {
        var options = Configuration()
        options.busyMode = .timeout(configuration.busyTimeout)
        options.maximumReaderCount = max(configuration.readers, 1)
        options.prepareDatabase { db in
            if db.configuration.readonly { return }
            // Takes effect only before the first table is made.
            try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            // What is deleted is overwritten with zeros.
            try db.execute(sql: "PRAGMA secure_delete = ON")
        }
        let pool = try DatabasePool(path: path, configuration: options)
        try pool.writeWithoutTransaction { db in
            // GRDB leaves NORMAL, under which a commit in the log may be lost with the power.
            try db.execute(sql: "PRAGMA synchronous = FULL")
        }
        try Schema.migrator.migrate(pool)
        return pool
    }

    private static func load(_ db: Database, into indexes: IndexRegistry) throws {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT s.gallery_id, m.digest, m.dimension, s.id, s.identity_id, s.camera, s.captured_at, e.modalities,
                    e.is_main, e.vector
                FROM sighting s JOIN embedding e ON e.sighting_id = s.id JOIN model m ON m.id = e.model_id
                ORDER BY s.id, e.model_id, e.id
                """)
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
