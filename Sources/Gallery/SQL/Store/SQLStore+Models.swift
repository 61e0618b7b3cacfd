import Foundation

extension SQLStore {
    func models() async throws -> [ModelCoverage] {
        try await read { db in
            let rows = try db.rows(
                """
                SELECT digest, dimension, live FROM (SELECT id, digest, dimension, sightings - (
                    SELECT COALESCE(SUM(c.sightings), 0) FROM erased_gallery e
                    CROSS JOIN coverage c ON c.gallery_id = e.gallery_id WHERE c.model_id = m.id
                ) AS live FROM live_model m) AS counted WHERE live > 0 ORDER BY id
                """)
            return rows.map { ModelCoverage(model: $0[0], dimension: $0[1], sightings: $0[2]) }
        }
    }

    func sightingCount() async throws -> Int {
        try await read { db in
            try db.only(
                """
                SELECT sightings - (
                        SELECT COALESCE(SUM(t.sightings), 0) FROM erased_gallery e
                        CROSS JOIN gallery_tally t ON t.gallery_id = e.gallery_id
                    ) - (
                        SELECT COALESCE(SUM(t.sightings), 0) FROM erased_identity e
                        CROSS JOIN identity_tally t ON t.identity_id = e.identity_id
                        CROSS JOIN identity i ON i.id = e.identity_id
                        WHERE i.gallery_id NOT IN (SELECT gallery_id FROM erased_gallery)
                    )
                FROM total
                """)[0]
        }
    }

    func deleteEmbeddings(model: String) async throws {
        try await erase { db in
            let row = try db.value(Int64.self, "SELECT id FROM model WHERE digest = ?", [model])
            guard let row else { return }
            try Erasure.mark(.model, row, db)
            db.apply([.removeModel(model)])
        }
    }

    /// Of a gallery. Models without a vector there are left out.
    static func coverage(of gallery: Int64, _ db: any SQLSession) throws -> [ModelCoverage] {
        let rows = try db.rows(
            """
            SELECT m.digest, m.dimension, c.sightings FROM coverage c JOIN live_model m ON m.id = c.model_id
            WHERE c.gallery_id = ? AND c.sightings > 0 ORDER BY m.id
            """, [gallery])
        return rows.map { ModelCoverage(model: $0[0], dimension: $0[1], sightings: $0[2]) }
    }
}

extension SQLStore {
    func lacking(model: String, standIn other: String?) async throws -> LackingSightings {
        try await read { db in
            let row = try db.only(
                """
                SELECT COUNT(*), COUNT(*) FILTER (WHERE NOT has_image), COUNT(*) FILTER (WHERE NOT has_image AND NOT has_other)
                FROM (
                    SELECT EXISTS (SELECT 1 FROM image i WHERE i.sighting_id = s.id) AS has_image,
                        EXISTS (
                            SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id
                            WHERE e.sighting_id = s.id AND m.digest = ?2) AS has_other
                    FROM live_sighting s WHERE NOT EXISTS (
                        SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id
                        WHERE e.sighting_id = s.id AND m.digest = ?1)) AS lacking
                """, [model, other])
            return LackingSightings(sightings: row[0], withoutImages: row[1], withoutVectors: row[2])
        }
    }

    func pendingCount(_ pending: PendingVectors, model: String) async throws -> Int {
        try await read { db in
            switch pending {
            case .fused(let orParts):
                return try db.only("SELECT COUNT(*) \(Self.withFused(orParts: orParts))", [model, 0])[0]
            case .missing: return try Self.missingCount(model, db)
            }
        }
    }

    /// O(1) if each sighting has a vector, else O(sightings).
    private static func missingCount(_ model: String, _ db: any SQLSession) throws -> Int {
        let kept = try db.only(
            "SELECT sightings, (SELECT sightings FROM live_model WHERE digest = ?) FROM total", [model])
        if kept[0] as Int == kept[1] as Int? { return 0 }
        return try db.only(
            """
            SELECT COUNT(*) FROM live_sighting s WHERE EXISTS (SELECT 1 FROM image i WHERE i.sighting_id = s.id)
                AND NOT EXISTS (
                    SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id
                    WHERE e.sighting_id = s.id AND m.digest = ?)
            """, [model])[0]
    }

    func pendingBatch(
        _ pending: PendingVectors, model: String, limit: Int, after key: Int64
    ) async throws -> PendingBatch {
        try await read { db in
            let source =
                switch pending {
                case .missing: "\(Self.missing) ORDER BY s.id"
                case .fused(let orParts): "\(Self.withFused(orParts: orParts)) ORDER BY e.sighting_id"
                }
            let rows = try db.rows("SELECT s.id, g.name, s.uuid \(source) LIMIT ?3", [model, key, limit + 1])
            return try Self.batch(rows, limit, db)
        }
    }

    /// Of a model `?1`, after a row `?2`.
    static let missing = """
        FROM live_sighting s JOIN gallery g ON g.id = s.gallery_id
        WHERE s.id > ?2 AND NOT EXISTS (
            SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id WHERE e.sighting_id = s.id AND m.digest = ?1)
        """

    /// Whether vectors are fused, or perhaps one a modality of several. The former has an index of its own.
    static func fused(orParts: Bool) -> String {
        orParts
            ? "(is_fused = 1 OR modalities LIKE '%,%' AND modalities NOT LIKE '%;%' AND modalities NOT LIKE '%|%')"
            : "is_fused = 1"
    }

    private static func withFused(orParts: Bool) -> String {
        """
        FROM embedding e CROSS JOIN live_sighting s ON s.id = e.sighting_id JOIN gallery g ON g.id = s.gallery_id
        WHERE \(fused(orParts: orParts)) AND e.model_id = (SELECT id FROM live_model WHERE digest = ?1)
            AND e.sighting_id > ?2 AND EXISTS (SELECT 1 FROM image i WHERE i.sighting_id = s.id)
        """
    }

    /// Of one more row than wanted, if there are as many.
    static func batch(_ rows: [SQLRow], _ limit: Int, _ db: any SQLSession) throws -> PendingBatch {
        var batch: [PendingSighting] = []
        var bytes = 0
        for row in rows.prefix(limit) where bytes < 64 << 20 {
            let images = try images(of: row[0], db)
            bytes += images.reduce(0) { $0 + $1.bytes.count }
            batch.append(PendingSighting(key: row[0], gallery: row[1], sighting: row[2], images: images))
        }
        return PendingBatch(sightings: batch, next: batch.count < rows.count ? batch.last?.key : nil)
    }

    func sample(count: Int) async throws -> [Int64] {
        try await read { db in
            let rows = try db.rows(
                """
                SELECT s.identity_id, s.id FROM live_sighting s
                WHERE EXISTS (SELECT 1 FROM image i WHERE i.sighting_id = s.id) ORDER BY s.identity_id, s.id
                """)
            let groups = Dictionary(grouping: rows) { $0[0] as Int64 }
            let identities = groups.keys.sorted()
            let step = max(1, rows.count / count)
            let drawn = stride(from: 0, to: identities.count, by: step).flatMap { groups[identities[$0]] ?? [] }
            return drawn.prefix(count).map { $0[1] }
        }
    }

    func sampled(_ row: Int64) async throws -> SampledSighting? {
        try await read { db in
            guard
                let identity = try db.value(Int64.self, "SELECT identity_id FROM live_sighting WHERE id = ?", [row])
            else { return nil }
            return SampledSighting(identity: identity, images: try Self.images(of: row, db))
        }
    }
}
