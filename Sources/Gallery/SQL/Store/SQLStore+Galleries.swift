import Foundation

extension SQLStore {
    func createGallery(_ gallery: GalleryRecord) async throws {
        try await write { db in
            if try Self.findGallery(gallery.name, db) != nil {
                throw GalleryError.alreadyExists(.gallery, gallery.name)
            }
            let id = try db.insert(
                "INSERT INTO gallery (name, label, metadata, created_at, retention_days) VALUES (?, ?, ?, ?, ?)",
                [
                    gallery.name, gallery.label, MetadataColumn.text(gallery.metadata), gallery.createdAt.milliseconds,
                    gallery.retentionDays,
                ])
            try db.audit(.galleryCreated, gallery: id)
        }
    }

    func updateGallery(_ name: String, _ patch: GalleryPatch) async throws -> GalleryRecord {
        try await write { db in
            let id = try Self.galleryID(name, db)
            if case .set(let label) = patch.label {
                try db.execute("UPDATE gallery SET label = ? WHERE id = ?", [label, id])
            }
            if case .set(let metadata) = patch.metadata {
                let text = try MetadataColumn.text(metadata)
                try db.execute("UPDATE gallery SET metadata = ? WHERE id = ?", [text, id])
            }
            if case .set(let days) = patch.retentionDays {
                try db.execute("UPDATE gallery SET retention_days = ? WHERE id = ?", [days, id])
            }
            try db.audit(.galleryChanged, gallery: id)
            return try GalleryRecord(db.only("SELECT * FROM gallery WHERE id = ?", [id]))
        }
    }

    func galleries(among names: [String]?, _ page: PageRequest) async throws -> Page<GalleryRecord> {
        try await read { db in
            let isAsked = Self.isAmong("name", names)
            let rows = try db.rows(
                "SELECT * FROM live_gallery WHERE \(isAsked) AND id > ? ORDER BY id LIMIT ?",
                (names ?? []) + [page.start, page.limit + 1])
            return Page(try rows.map { ($0["id"], try GalleryRecord($0)) }, page)
        }
    }

    func gallery(_ name: String) async throws -> GallerySummary {
        try await read { db in
            let id = try Self.galleryID(name, db)
            let tally = try db.only(
                """
                SELECT identities - (
                        SELECT COUNT(*) FROM erased_identity e CROSS JOIN identity i ON i.id = e.identity_id
                        WHERE i.gallery_id = t.gallery_id
                    ), sightings - (
                        SELECT COALESCE(SUM(n.sightings), 0) FROM erased_identity e
                        CROSS JOIN identity i ON i.id = e.identity_id
                        CROSS JOIN identity_tally n ON n.identity_id = i.id
                        WHERE i.gallery_id = t.gallery_id
                    ) - (
                        SELECT COUNT(*) FROM erased_sighting e CROSS JOIN sighting s ON s.id = e.sighting_id
                        WHERE s.gallery_id = t.gallery_id
                            AND s.identity_id NOT IN (SELECT identity_id FROM erased_identity)
                    ), images, image_bytes
                FROM gallery_tally t WHERE gallery_id = ?
                """, [id])
            return GallerySummary(
                gallery: try GalleryRecord(db.only("SELECT * FROM gallery WHERE id = ?", [id])),
                identities: tally[0], sightings: tally[1], images: tally[2], imageBytes: tally[3],
                models: try Self.coverage(of: id, db))
        }
    }

    func largestGalleries(_ count: Int) async throws -> [GalleryTally] {
        try await read { db in
            let rows = try db.rows(
                """
                SELECT g.name, t.identities, t.sightings FROM live_gallery g
                JOIN gallery_tally t ON t.gallery_id = g.id ORDER BY t.sightings DESC, g.id LIMIT ?
                """, [count])
            return rows.map { GalleryTally(gallery: $0[0], identities: $0[1], sightings: $0[2]) }
        }
    }

    func requireGallery(_ name: String) async throws {
        try await read { db in _ = try Self.galleryID(name, db) }
    }

    func deleteGallery(_ name: String) async throws {
        try await erase { db in
            let id = try Self.galleryID(name, db)
            try Erasure.mark(.gallery, id, db)
            try db.audit(.galleryErased, gallery: id)
            try db.announce(.erased, gallery: nil, detail: .object(["gallery": .string(name)]))
            db.apply([.removeGallery(id)])
        }
    }

    static func findGallery(_ name: String, _ db: any SQLSession) throws -> Int64? {
        try db.value(Int64.self, "SELECT id FROM live_gallery WHERE name = ?", [name])
    }

    static func galleryID(_ name: String, _ db: any SQLSession) throws -> Int64 {
        guard let id = try findGallery(name, db) else { throw GalleryError.notFound(.gallery, name) }
        return id
    }
}

extension GalleryRecord {
    init(_ row: SQLRow) throws {
        self.init(
            name: row["name"], label: row["label"], metadata: try MetadataColumn.decode(row["metadata"]),
            createdAt: Date(milliseconds: row["created_at"]), retentionDays: row["retention_days"])
    }
}
