import Foundation

extension SQLStore {
    func createIdentities(
        _ identities: [Result<NewIdentity, any Error>], in gallery: String
    ) async throws -> [Result<Bool, any Error>] {
        try await write { db in
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
                let writer = CorrectionWriter(gallery: galleryID, db: db)
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
                try db.execute("UPDATE identity SET label = ? WHERE id = ?", [label, row])
            }
            if case .set(let metadata) = patch.metadata {
                let text = try MetadataColumn.text(metadata)
                try db.execute("UPDATE identity SET metadata = ? WHERE id = ?", [text, row])
            }
            if case .set(let isWatched) = patch.watchlist {
                try db.execute("UPDATE identity SET watchlist = ? WHERE id = ?", [isWatched, row])
            }
            try db.execute("UPDATE identity SET updated_at = ? WHERE id = ?", [Date().milliseconds, row])
            try db.audit(.identityChanged, gallery: galleryID, subject: row)
            return try Self.identityRecord(id, galleryID, db)
        }
    }

    func deleteIdentity(_ id: String, in gallery: String) async throws {
        try await erase { db in
            let galleryID = try Self.galleryID(gallery, db)
            let row = try Self.identityID(id, galleryID, db)
            let own = "FROM live_sighting WHERE gallery_id = ? AND identity_id = ?"
            let named = try db.values(
                String.self, "SELECT uuid \(own) LIMIT \(EventCounter.mostNamed)", [galleryID, row])
            let count: Int = try db.only("SELECT COUNT(*) \(own)", [galleryID, row])[0]
            try db.announceErasure(of: named, count: count, gallery: galleryID)
            try db.audit(.identityErased, gallery: galleryID, subject: row)
            try CorrectionWriter.forget(identity: row, db)
            try Erasure.mark(.identity, row, db)
            db.apply([.removeIdentity(row, gallery: galleryID)])
        }
    }

    private static func identityRecord(_ id: String, _ gallery: Int64, _ db: any SQLSession) throws -> IdentityRecord {
        let row = try db.first("\(ListStatement.identities) WHERE i.gallery_id = ? AND i.name = ?", [gallery, id])
        guard let row else { throw GalleryError.notFound(.identity, id) }
        return try IdentityRecord(row)
    }

    /// nil for one that is no more.
    static func identityRecord(row: Int64, _ db: any SQLSession) throws -> IdentityRecord? {
        try db.first("\(ListStatement.identities) WHERE i.id = ?", [row]).map {
            try IdentityRecord($0)
        }
    }

    static func findIdentity(_ id: String, _ gallery: Int64, _ db: any SQLSession) throws -> Int64? {
        try db.value(Int64.self, "SELECT id FROM live_identity WHERE gallery_id = ? AND name = ?", [gallery, id])
    }

    static func identityID(_ id: String, _ gallery: Int64, _ db: any SQLSession) throws -> Int64 {
        guard let row = try findIdentity(id, gallery, db) else { throw GalleryError.notFound(.identity, id) }
        return row
    }

    static func insertIdentity(_ new: NewIdentity, _ gallery: Int64, _ db: any SQLSession) throws -> Int64 {
        let now = Date().milliseconds
        return try db.insert(
            """
            INSERT INTO identity (gallery_id, name, label, metadata, watchlist, created_at, updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """, [gallery, new.id, new.label, MetadataColumn.text(new.metadata), new.watchlist, now, now])
    }
}

extension IdentityRecord {
    init(_ row: SQLRow) throws {
        self.init(
            id: row["name"], label: row["label"], metadata: try MetadataColumn.decode(row["metadata"]),
            watchlist: row["watchlist"], createdAt: Date(milliseconds: row["created_at"]),
            updatedAt: Date(milliseconds: row["updated_at"]), sightings: row["sightings"],
            lastSeen: (row["last_seen"] as Int64?).map(Date.init(milliseconds:)))
    }
}
