import Foundation
import GRDB

extension GalleryStore {
    /// Which models have embedded how many sightings, over all galleries.
    public func models() async throws -> [ModelCoverage] {
        try await read { db in try Self.coverage(of: nil, db) }
    }

    /// How many sightings there are, over all galleries.
    public func sightingCount() async throws -> Int {
        try await read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sighting") ?? 0 }
    }

    /// The next sightings that a model has not embedded, over all galleries in order of enrolment, with their images.
    /// `after` is the key of the last one seen, 0 at first. `limit` is 1–1000.
    public func sightingsLacking(
        model: String, limit: Int, after key: Int64 = 0
    ) async throws -> [PendingSighting] {
        try Validation.limit(limit)
        return try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT s.id, g.name, s.uuid FROM sighting s JOIN gallery g ON g.id = s.gallery_id
                    WHERE s.id > ? AND NOT EXISTS (
                        SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id
                        WHERE e.sighting_id = s.id AND m.digest = ?)
                    ORDER BY s.id LIMIT ?
                    """,
                arguments: [key, model, limit])
            return try rows.map { row in
                PendingSighting(
                    key: row[0], gallery: row[1], sighting: row[2], images: try Self.images(of: row[0], db))
            }
        }
    }

    /// Drops all vectors of a model. Does nothing if there are none.
    public func deleteEmbeddings(model: String) async throws {
        try await write { [indexes] db in
            try db.execute(sql: "DELETE FROM model WHERE digest = ?", arguments: [model])
            db.afterNextTransaction { _ in indexes.remove(model: model) }
        }
        await reclaim()
    }

    /// Of a gallery, or of all if nil. Models without a vector there are left out.
    static func coverage(of gallery: Int64?, _ db: Database) throws -> [ModelCoverage] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT m.digest, m.dimension, COUNT(DISTINCT e.sighting_id)
                FROM model m JOIN embedding e ON e.model_id = m.id JOIN sighting s ON s.id = e.sighting_id
                WHERE s.gallery_id = ?1 OR ?1 IS NULL GROUP BY m.id ORDER BY m.id
                """,
            arguments: [gallery])
        return rows.map { ModelCoverage(model: $0[0], dimension: $0[1], sightings: $0[2]) }
    }
}
