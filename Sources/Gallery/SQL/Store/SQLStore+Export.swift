import Foundation

extension SQLStore {
    func exportBatch(
        in gallery: String, model: String, limit: Int, after key: Int64
    ) async throws -> (sightings: [ExportedSighting], next: Int64?) {
        try await read { db in
            let rows = try db.values(
                Int64.self, "SELECT id FROM live_sighting WHERE gallery_id = ? AND id > ? ORDER BY id LIMIT ?",
                [Self.galleryID(gallery, db), key, limit + 1])
            var (batch, bytes, last) = ([ExportedSighting](), 0, key)
            for row in rows.prefix(limit) where bytes < 16 << 20 {
                let images = try Self.images(of: row, db)
                bytes += images.reduce(0) { $0 + $1.bytes.count }
                batch.append(
                    ExportedSighting(
                        record: try Self.sightingRecord(row: row, db), images: images,
                        embedding: try Self.embedding(of: row, model: model, db)))
                last = row
            }
            return (batch, batch.count < rows.count ? last : nil)
        }
    }

    static func embedding(of sighting: Int64, model: String, _ db: any SQLSession) throws -> SightingEmbedding? {
        let row = try db.first(
            """
            SELECT e.modalities, e.is_fused, e.vectors, m.combination, m.modalities, m.dimension
            FROM embedding e JOIN live_model m ON m.id = e.model_id WHERE e.sighting_id = ? AND m.digest = ?
            """, [sighting, model])
        return row.map { row in
            let isKnown = !row.isNull(3)
            return SightingEmbedding(
                model: model,
                space: isKnown ? VectorSpace(combination: row[3], modalities: row[4], dimension: row[5]) : nil,
                StoredVectors(modalities: row[0], isFused: row[1], bytes: row[2]))
        }
    }
}
