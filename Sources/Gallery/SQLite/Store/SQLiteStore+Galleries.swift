import Foundation
import GRDB

extension SQLiteStore {
    func createGallery(_ gallery: GalleryRecord) async throws {
        try await write { db in
            if try Self.findGallery(gallery.name, db) != nil {
                throw GalleryError.alreadyExists(.gallery, gallery.name)
            }
            try db.execute(
                sql: "INSERT INTO gallery (name, label, metadata, created_at, retention_days) VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    gallery.name, gallery.label, MetadataColumn.text(gallery.metadata), gallery.createdAt.milliseconds,
                    gallery.retentionDays,
                ])
            try db.audit(.galleryCreated, gallery: db.lastInsertedRowID)
        }
    }

    func updateGallery(_ name: String, _ patch: GalleryPatch) async throws -> GalleryRecord {
        try await write { db in
            let id = try Self.galleryID(name, db)
            if case .set(let label) = patch.label {
                try db.execute(sql: "UPDATE gallery SET label = ? WHERE id = ?", arguments: [label, id])
            }
            if case .set(let metadata) = patch.metadata {
                let text = try MetadataColumn.text(metadata)
                try db.execute(sql: "UPDATE gallery SET metadata = ? WHERE id = ?", arguments: [text, id])
            }
            if case .set(let days) = patch.retentionDays {
                try db.execute(sql: "UPDATE gallery SET retention_days = ? WHERE id = ?", arguments: [days, id])
            }
            try db.audit(.galleryChanged, gallery: id)
            return try GalleryRecord(Row.only(db, "SELECT * FROM gallery WHERE id = ?", [id]))
        }
    }

    func galleries(among names: [String]?, _ page: PageRequest) async throws -> Page<GalleryRecord> {
        try await read { db in
            let isAsked = Self.isAmong("name", names)
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM live_gallery WHERE \(isAsked) AND id > ? ORDER BY id LIMIT ?",
                arguments: StatementArguments(names ?? []) + [page.start, page.limit + 1])
            return Page(try rows.map { ($0["id"], try GalleryRecord($0)) }, page)
        }
    }

    func gallery(_ name: String) async throws -> GallerySummary {
        try await read { db in
            let id = try Self.galleryID(name, db)
            let tally = try Row.only(
                db,
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
                gallery: try GalleryRecord(Row.only(db, "SELECT * FROM gallery WHERE id = ?", [id])),
                identities: tally[0], sightings: tally[1], images: tally[2], imageBytes: tally[3],
                models: try Self.coverage(of: id, db))
        }
    }

    func largestGalleries(_ count: Int) async throws -> [GalleryTally] {
        try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT g.name, t.identities, t.sightings FROM live_gallery g
                    JOIN gallery_tally t ON t.gallery_id = g.id ORDER BY t.sightings DESC, g.id LIMIT ?
                    """,
                arguments: [count])
            return rows.map { GalleryTally(gallery: $0[0], identities: $0[1], sightings: $0[2]) }
        }
    }

    func requireGallery(_ name: String) async throws {
        try await read { db in _ = try Self.galleryID(name, db) }
    }

    func deleteGallery(_ name: String) async throws {
        try await erase { [indexes, events] db in
            let id = try Self.galleryID(name, db)
            try Erasure.mark(.gallery, id, db)
            try db.audit(.galleryErased, gallery: id)
            try db.announce(.erased, gallery: nil, detail: .object(["gallery": .string(name)]), to: events)
            db.apply([.removeGallery(id)], to: indexes)
        }
    }

    static func findGallery(_ name: String, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT id FROM live_gallery WHERE name = ?", arguments: [name])
    }

    static func galleryID(_ name: String, _ db: Database) throws -> Int64 {
        guard let id = try findGallery(name, db) else { throw GalleryError.notFound(.gallery, name) }
        return id
    }
}

extension GalleryRecord {
    init(_ row: Row) throws {
        self.init(
            name: row["name"], label: row["label"], metadata: try MetadataColumn.decode(row["metadata"]),
            createdAt: Date(milliseconds: row["created_at"]), retentionDays: row["retention_days"])
    }
}
