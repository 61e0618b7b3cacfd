import Foundation
import GRDB

extension GalleryStore {
    /// Makes an empty gallery. Throws `.invalid` or `.alreadyExists`.
    public func createGallery(
        _ name: String, label: String? = nil, metadata: Metadata = [:]
    ) async throws -> GalleryRecord {
        try Validation.gallery(name)
        try Validation.label(label)
        try Validation.metadata(metadata)
        return try await write { db in
            if try Self.findGallery(name, db) != nil { throw GalleryError.alreadyExists(.gallery, name) }
            let now = Date.stored
            try db.execute(
                sql: "INSERT INTO gallery (name, label, metadata, created_at) VALUES (?, ?, ?, ?)",
                arguments: [name, label, MetadataColumn.text(metadata), now.milliseconds])
            return GalleryRecord(name: name, label: label, metadata: metadata, createdAt: now)
        }
    }

    /// The galleries in order of creation. `limit` is 1–1000.
    public func galleries(limit: Int = 50, after cursor: String? = nil) async throws -> Page<GalleryRecord> {
        try Validation.limit(limit)
        let start = try Cursor(cursor)
        return try await read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM gallery WHERE id > ? ORDER BY id LIMIT ?", arguments: [start.key, limit + 1])
            return Page(try rows.map { ($0["id"], try GalleryRecord($0)) }, limit: limit)
        }
    }

    /// A gallery and how much is in it. Throws `.notFound`. O(sightings).
    public func gallery(_ name: String) async throws -> GallerySummary {
        try await read { db in
            let id = try Self.galleryID(name, db)
            return GallerySummary(
                gallery: try Self.galleryRecord(id, db),
                identities: try Self.count(db, "SELECT COUNT(*) FROM identity WHERE gallery_id = ?", id),
                sightings: try Self.count(db, "SELECT COUNT(*) FROM sighting WHERE gallery_id = ?", id),
                images: try Self.count(db, "SELECT COUNT(*) \(Self.imagesOfGallery)", id),
                imageBytes: try Self.count(db, "SELECT COALESCE(SUM(length(i.bytes)), 0) \(Self.imagesOfGallery)", id),
                models: try Self.coverage(of: id, db))
        }
    }

    /// Erases a gallery with all that is in it. Throws `.notFound`.
    public func deleteGallery(_ name: String) async throws {
        try await write { [indexes] db in
            let id = try Self.galleryID(name, db)
            try db.execute(sql: "DELETE FROM gallery WHERE id = ?", arguments: [id])
            db.afterNextTransaction { _ in indexes.remove(gallery: id) }
        }
        await reclaim()
    }

    private static let imagesOfGallery =
        "FROM image i JOIN sighting s ON s.id = i.sighting_id WHERE s.gallery_id = ?"

    private static func count(_ db: Database, _ sql: String, _ gallery: Int64) throws -> Int {
        try Row.only(db, sql, [gallery])[0]
    }

    private static func galleryRecord(_ id: Int64, _ db: Database) throws -> GalleryRecord {
        try GalleryRecord(Row.only(db, "SELECT * FROM gallery WHERE id = ?", [id]))
    }

    static func findGallery(_ name: String, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(db, sql: "SELECT id FROM gallery WHERE name = ?", arguments: [name])
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
            createdAt: Date(milliseconds: row["created_at"]))
    }
}
