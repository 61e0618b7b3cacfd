import Foundation
import GRDB

/// What is missing before a model can serve everything that is enrolled.
public struct LackingSightings: Sendable, Equatable {
    /// Sightings without a vector of the model.
    public let sightings: Int
    /// Those of them whose images were not kept.
    public let withoutImages: Int
    /// Those of these that have no vector of the other model either.
    public let withoutVectors: Int
}

extension GalleryStore {
    /// Counts the sightings that a model has not embedded, over all galleries.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - other: the model whose vectors might stand in.
    public func lacking(model: String, standIn other: String?) async throws -> LackingSightings {
        try await read { db in
            let row = try Row.only(
                db,
                """
                SELECT COUNT(*), COALESCE(SUM(NOT has_image), 0), COALESCE(SUM(NOT has_image AND NOT has_other), 0)
                FROM (
                    SELECT EXISTS (SELECT 1 FROM image i WHERE i.sighting_id = s.id) AS has_image,
                        EXISTS (
                            SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id
                            WHERE e.sighting_id = s.id AND m.digest = ?2) AS has_other
                    FROM sighting s WHERE NOT EXISTS (
                        SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id
                        WHERE e.sighting_id = s.id AND m.digest = ?1))
                """, [model, other])
            return LackingSightings(sightings: row[0], withoutImages: row[1], withoutVectors: row[2])
        }
    }

    /// A sighting's vectors of a model, its main one first. Throws `.notFound`.
    public func embeddings(
        of sighting: String, in gallery: String, model: String
    ) async throws -> [SightingEmbedding] {
        try await read { db in
            let owner = try Self.owner(of: sighting, Self.galleryID(gallery, db), db)
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT e.modalities, e.vector FROM embedding e JOIN model m ON m.id = e.model_id
                    WHERE e.sighting_id = ? AND m.digest = ? ORDER BY e.is_main DESC, e.id
                    """,
                arguments: [owner.sighting, model])
            return rows.map { SightingEmbedding(model: model, modalityKey: $0[0], blob: $0[1]) }
        }
    }
}
