import Foundation

extension SQLStore {
    func eraseSightings(_ filter: QueryFilter, in gallery: String) async throws -> Int {
        try await eraseSightings { db in
            let id = try Self.galleryID(gallery, db)
            let admitted = try Self.indexFilter(filter, id, db)
            try Validation.require(!admitted.isOpen, "filter", "at least one condition", "none")
            var found: [Int64] = []
            let everySighting = "SELECT id, identity_id, camera, captured_at FROM live_sighting WHERE gallery_id = ?"
            try db.forEach(everySighting, [id]) { row in
                if admitted.admits(sighting: row[0], identity: row[1], camera: row[2], capturedAt: row[3]) {
                    found.append(row[0])
                }
            }
            return [id: found]
        }
    }

    func eraseExpired(at now: Date) async throws -> Int {
        let isNeeded = try await read { db in
            try db.value(Bool.self, "SELECT EXISTS (SELECT 1 FROM live_gallery WHERE retention_days IS NOT NULL)")
                ?? false
        }
        if !isNeeded { return 0 }
        return try await eraseSightings { db in
            let rows = try db.rows(
                """
                SELECT g.id, s.id FROM live_gallery g CROSS JOIN live_sighting s ON s.gallery_id = g.id
                WHERE g.retention_days IS NOT NULL
                    AND COALESCE(s.captured_at, s.created_at) < ? - g.retention_days * 86400000
                """, [now.milliseconds])
            return Dictionary(grouping: rows) { $0[0] as Int64 }.mapValues { $0.map { $0[1] } }
        }
    }

    /// Sightings by gallery, by their rows.
    private func eraseSightings(
        _ find: @escaping @Sendable (any SQLSession) throws -> [Int64: [Int64]]
    ) async throws -> Int {
        // Reading may take long; whoever enrols need not wait for it.
        let found = try await read(find)
        if found.allSatisfy(\.value.isEmpty) { return 0 }
        return try await erase { db in
            var count = 0
            for (gallery, sightings) in found {
                let names = try sightings.compactMap { id in
                    try db.value(String.self, "SELECT uuid FROM live_sighting WHERE id = ?", [id]).map {
                        (row: id, name: $0)
                    }
                }
                let live = names.map(\.row)
                try Erasure.mark(sightings: live, db)
                try db.announceErasure(of: names.map(\.name), gallery: gallery)
                try db.audit(.sightingsErased, gallery: gallery, count: live.count)
                count += live.count
                db.apply([.removeSightings(live, gallery: gallery)])
            }
            return count
        }
    }
}
