import Foundation
import GRDB

extension SQLiteStore {
    func createIdentities(
        _ identities: [Result<NewIdentity, any Error>], in gallery: String
    ) async throws -> [Result<Bool, any Error>] {
        try await write { [indexes] db in
            let galleryID = try Self.galleryID(gallery, db)
            return try identities.map { identity in
                guard case .success(let new) = identity else { return identity.map { _ in false } }
                if try Self.findIdentity(new.id, galleryID, db) != nil { return .success(false) }
                let others = try new.distinctFrom.map { (name: $0, row: try Self.findIdentity($0, galleryID, db)) }
                if let missing = others.first(where: { $0.row == nil }) {
                    return .failure(GalleryError.notFound(.identity, missing.name))
                }
                let row = try Self.insertIdentity(new, galleryID, db)
                try db.audit(.identityCreated, gallery: galleryID, subject: row)
                let writer = CorrectionWriter(gallery: galleryID, indexes: indexes, db: db)
                try writer.distinguish(row, from: others.compactMap(\.row))
                return .success(true)
            }
        }
    }

    func identity(_ id: String, in gallery: String) async throws -> IdentityRecord {
        try await read { db in try Self.identityRecord(id, Self.galleryID(gallery, db), db) }
    }

    func updateIdentity(
        _ id: String, in gallery: String, _ patch: IdentityPatch
    ) async throws -> IdentityRecord {
        try await write { db in
            let galleryID = try Self.galleryID(gallery, db)
            let row = try Self.identityID(id, galleryID, db)
            if case .set(let label) = patch.label {
                try db.execute(sql: "UPDATE identity SET label = ? WHERE id = ?", arguments: [label, row])
            }
            if case .set(let metadata) = patch.metadata {
                let text = try MetadataColumn.text(metadata)
                try db.execute(sql: "UPDATE identity SET metadata = ? WHERE id = ?", arguments: [text, row])
            }
            if case .set(let isWatched) = patch.watchlist {
                try db.execute(sql: "UPDATE identity SET watchlist = ? WHERE id = ?", arguments: [isWatched, row])
            }
            try db.execute(
                sql: "UPDATE identity SET updated_at = ? WHERE id = ?", arguments: [Date().milliseconds, row])
            try db.audit(.identityChanged, gallery: galleryID, subject: row)
            return try Self.identityRecord(id, galleryID, db)
        }
    }

    func deleteIdentity(_ id: String, in gallery: String) async throws {
        try await erase { [indexes, events] db in
            let galleryID = try Self.galleryID(gallery, db)
            let row = try Self.identityID(id, galleryID, db)
            let own = "FROM live_sighting WHERE gallery_id = ? AND identity_id = ?"
            let named = try String.fetchAll(
                db, sql: "SELECT uuid \(own) LIMIT \(Database.mostNamed)", arguments: [galleryID, row])
            let count: Int = try Row.only(db, "SELECT COUNT(*) \(own)", [galleryID, row])[0]
            try db.announceErasure(of: named, count: count, gallery: galleryID, to: events)
            try db.audit(.identityErased, gallery: galleryID, subject: row)
            try CorrectionWriter.forget(identity: row, db)
            try Erasure.mark(.identity, row, db)
            db.apply([.removeIdentity(row, gallery: galleryID)], to: indexes)
        }
    }

    private static func identityRecord(_ id: String, _ gallery: Int64, _ db: Database) throws -> IdentityRecord {
        let row = try Row.fetchOne(
            db, sql: "\(ListStatement.identities) WHERE i.gallery_id = ? AND i.name = ?", arguments: [gallery, id])
        guard let row else { throw GalleryError.notFound(.identity, id) }
        return try IdentityRecord(row)
    }

    /// nil for one that is no more.
    static func identityRecord(row: Int64, _ db: Database) throws -> IdentityRecord? {
        try Row.fetchOne(db, sql: "\(ListStatement.identities) WHERE i.id = ?", arguments: [row]).map {
            try IdentityRecord($0)
        }
    }

    static func findIdentity(_ id: String, _ gallery: Int64, _ db: Database) throws -> Int64? {
        try Int64.fetchOne(
            db, sql: "SELECT id FROM live_identity WHERE gallery_id = ? AND name = ?", arguments: [gallery, id])
    }

    static func identityID(_ id: String, _ gallery: Int64, _ db: Database) throws -> Int64 {
        guard let row = try findIdentity(id, gallery, db) else { throw GalleryError.notFound(.identity, id) }
        return row
    }

    static func insertIdentity(_ new: NewIdentity, _ gallery: Int64, _ db: Database) throws -> Int64 {
        let now = Date().milliseconds
        try db.execute(
            sql: """
                INSERT INTO identity (gallery_id, name, label, metadata, watchlist, created_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [gallery, new.id, new.label, MetadataColumn.text(new.metadata), new.watchlist, now, now])
        return db.lastInsertedRowID
    }
}

extension IdentityRecord {
    init(_ row: Row) throws {
        self.init(
            id: row["name"], label: row["label"], metadata: try MetadataColumn.decode(row["metadata"]),
            watchlist: row["watchlist"], createdAt: Date(milliseconds: row["created_at"]),
            updatedAt: Date(milliseconds: row["updated_at"]), sightings: row["sightings"],
            lastSeen: (row["last_seen"] as Int64?).map(Date.init(milliseconds:)))
    }
}
