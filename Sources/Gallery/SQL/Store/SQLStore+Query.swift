import Foundation

extension SQLStore {
    func scopes(_ filters: [QueryFilter], in gallery: String) async throws -> [SearchScope] {
        try engine.progress.requireCurrent()
        return try await read { [engine] db in
            let id = try Self.galleryID(gallery, db)
            let searches = try engine.searches(of: id, db)
            // Those of a batch are often the same.
            var last: (filter: QueryFilter, scope: SearchScope)?
            return try filters.map { filter in
                if let last, last.filter == filter { return last.scope }
                let scope = SearchScope(
                    gallery: id, filter: engine.indexes.holds ? try Self.indexFilter(filter, id, db) : IndexFilter(),
                    asked: filter, searches: searches)
                last = (filter, scope)
                return scope
            }
        }
    }

    func matches(_ sightings: Set<Int64>) async throws -> [Int64: FoundSighting] {
        try await read { db in
            let statement = """
                SELECT s.*, i.name AS identity, i.label AS label, NULL AS modalities
                FROM live_sighting s JOIN identity i ON i.id = s.identity_id WHERE s.id = ?
                """
            return try sightings.reduce(into: [:]) { found, sighting in
                guard let row = try db.first(statement, [sighting]) else { return }
                found[sighting] = FoundSighting(sighting: try SightingRecord(row), label: row["label"])
            }
        }
    }

    func vectors(model: String) -> any VectorSource { StoredVectorSource(engine: engine, model: model) }

    func exemplars(
        of identity: String, in gallery: String, model: String, limit: Int
    ) async throws -> [(sighting: String, embedding: SightingEmbedding)] {
        try await read { db in
            let id = try Self.galleryID(gallery, db)
            return try db.rows(
                """
                SELECT s.uuid, e.modalities, e.is_fused, e.vectors FROM live_sighting s
                JOIN embedding e ON e.sighting_id = s.id JOIN live_model m ON m.id = e.model_id AND m.digest = ?
                WHERE s.gallery_id = ? AND s.identity_id = ? ORDER BY s.id DESC LIMIT ?
                """, [model, id, Self.identityID(identity, id, db), limit]
            ).map { row in
                let stored = StoredVectors(modalities: row[1], isFused: row[2], bytes: row[3])
                return (row[0], SightingEmbedding(model: model, space: nil, stored))
            }
        }
    }

    static func indexFilter(_ filter: QueryFilter, _ gallery: Int64, _ db: any SQLSession) throws -> IndexFilter {
        var result = IndexFilter()
        result.cameras = filter.cameras.map(Set.init)
        result.excludedCameras = Set(filter.excludeCameras ?? [])
        result.capturedFrom = filter.capturedAfter?.milliseconds
        result.capturedBefore = filter.capturedBefore?.milliseconds
        result.identities = try filter.identities.map { try rows(of: $0, gallery, db) }
        for named in [
            try filter.labelPrefix.map { try identities(labelled: $0, gallery, db) },
            try filter.isLabelled.map { try identities(areLabelled: $0, gallery, db) },
        ].compactMap({ $0 }) {
            result.identities = result.identities?.intersection(named) ?? named
        }
        result.excludedSightings = Set(
            try (filter.excludeSightings ?? []).compactMap { try findOwner(of: $0, gallery, db)?.sighting })
        result.excludedIdentities = try rows(of: filter.excludeIdentities ?? [], gallery, db)
        for (key, condition) in filter.metadata ?? [:] {
            let found = try MetadataField.sightings(key, condition, gallery, db)
            result.sightings = result.sightings?.intersection(found) ?? found
        }
        for (key, condition) in filter.excludeMetadata ?? [:] {
            result.excludedSightings.formUnion(try MetadataField.sightings(key, condition, gallery, db))
        }
        return result
    }

    private static func rows(of identities: [String], _ gallery: Int64, _ db: any SQLSession) throws -> Set<Int64> {
        Set(try identities.compactMap { try findIdentity($0, gallery, db) })
    }

    private static func identities(areLabelled: Bool, _ gallery: Int64, _ db: any SQLSession) throws -> Set<Int64> {
        try Set(
            db.values(
                Int64.self, "SELECT id FROM live_identity WHERE gallery_id = ? AND (label IS NOT NULL) = ?",
                [gallery, areLabelled]))
    }

    private static func identities(labelled prefix: String, _ gallery: Int64, _ db: any SQLSession) throws -> Set<Int64>
    {
        // No text that begins so comes after the last scalar, which no label has.
        try Set(
            db.values(
                Int64.self,
                "SELECT id FROM live_identity WHERE gallery_id = ? AND label >= ? AND label < ?",
                [gallery, prefix, prefix + "\u{10FFFF}"]))
    }
}

/// The vectors that the index does not hold, as they are in the database.
struct StoredVectorSource: VectorSource {
    let engine: any SQLEngine
    let model: String

    func vectors(of sightings: [Int64]) throws -> [Int64: [IndexVector]] {
        try engine.readNow { try Self.read(sightings, model: model, $0) }
    }

    /// One answer where each costs a way to a server and back.
    static func read(
        _ sightings: [Int64], model: String, _ db: any SQLSession
    ) throws -> [Int64: [IndexVector]] {
        var found: [Int64: [IndexVector]] = [:]
        let statement = """
            SELECT modalities, is_fused, vectors, sighting_id FROM embedding
            WHERE model_id = (SELECT id FROM live_model WHERE digest = ?1)
            """
        func keep(_ row: SQLRow) {
            found[row[3]] = StoredVectors(modalities: row[0], isFused: row[1], bytes: row[2]).vectors
        }
        if let some = db.dialect.any(of: "sighting_id", place: 2) {
            try db.forEach("\(statement) AND \(some)", [model, PostgreSQLArray(sightings).text], keep)
        } else {
            for sighting in sightings {
                try db.forEach("\(statement) AND sighting_id = ?2", [model, sighting], keep)
            }
        }
        return found
    }
}
