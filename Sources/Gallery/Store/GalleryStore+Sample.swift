import GRDB

/// A sighting drawn for a comparison of models, with its images.
public struct SampledSighting: Sendable, Equatable {
    /// Equal for sightings of one identity.
    public let identity: Int64
    /// Its kept images, at least one.
    public let images: [KeptImage]
}

extension GalleryStore {
    /// The row numbers of about so many sightings with images, over all galleries: all those of identities spread evenly,
    /// so that there are pairs of one identity among them. O(sightings).
    public func sample(count: Int) async throws -> [Int64] {
        try Validation.limit(count)
        return try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT s.identity_id, s.id FROM sighting s
                    WHERE EXISTS (SELECT 1 FROM image i WHERE i.sighting_id = s.id) ORDER BY s.identity_id, s.id
                    """)
            let groups = Dictionary(grouping: rows) { $0[0] as Int64 }
            let identities = groups.keys.sorted()
            let step = max(1, rows.count / count)
            let drawn = stride(from: 0, to: identities.count, by: step).flatMap { groups[identities[$0]] ?? [] }
            return drawn.prefix(count).map { $0[1] }
        }
    }

    /// A sampled sighting; nil if it was deleted in the meantime.
    public func sampled(_ row: Int64) async throws -> SampledSighting? {
        try await read { db in
            guard
                let identity = try Int64.fetchOne(
                    db, sql: "SELECT identity_id FROM sighting WHERE id = ?", arguments: [row])
            else { return nil }
            return SampledSighting(identity: identity, images: try Self.images(of: row, db))
        }
    }
}
