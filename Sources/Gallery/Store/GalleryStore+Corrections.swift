import Foundation
import GRDB

/// Each is one transaction, and can be undone until what it concerns was erased.
extension GalleryStore {
    /// Moves a sighting to another identity, making that if it is new. Throws `.notFound` or `.invalid`.
    public func moveSighting(_ sighting: String, to identity: String, in gallery: String) async throws -> Correction {
        try Validation.identity(identity)
        return try await correct(in: gallery) { writer in
            let owner = try Self.owner(of: sighting, writer.gallery, writer.db)
            let known = try Self.findIdentity(identity, writer.gallery, writer.db)
            let target =
                try known ?? Self.insertIdentity(identity, writer.gallery, label: nil, metadata: [:], writer.db)
            try Validation.require(
                target != owner.identity, "identity", "another than the sighting's own", "'\(identity)'")
            let correction = try writer.begin(.move, identity: target, made: known == nil)
            try writer.move([owner.sighting], to: target, by: correction)
            return correction
        }
    }

    /// Makes some sightings of an identity another, new one. Throws `.notFound`, `.invalid`, or `.alreadyExists`.
    public func splitIdentity(
        _ identity: String, sightings: [String], into new: String, in gallery: String
    ) async throws -> Correction {
        try Validation.identity(new)
        try Validation.require((1...1000).contains(sightings.count), "sightings", "1 to 1000", "\(sightings.count)")
        try Validation.distinct(sightings, "sightings")
        return try await correct(in: gallery) { writer in
            let source = try Self.identityID(identity, writer.gallery, writer.db)
            if try Self.findIdentity(new, writer.gallery, writer.db) != nil {
                throw GalleryError.alreadyExists(.identity, new)
            }
            let rows = try sightings.map { id in
                let owner = try Self.owner(of: id, writer.gallery, writer.db)
                guard owner.identity == source else { throw GalleryError.notFound(.sighting, id) }
                return owner.sighting
            }
            let target = try Self.insertIdentity(new, writer.gallery, label: nil, metadata: [:], writer.db)
            let correction = try writer.begin(.split, identity: target, made: true)
            try writer.move(rows, to: target, by: correction)
            return correction
        }
    }

    /// Gives an identity another name. Throws `.notFound`, `.invalid`, or `.alreadyExists`.
    public func renameIdentity(_ identity: String, to name: String, in gallery: String) async throws -> Correction {
        try Validation.identity(name)
        return try await correct(in: gallery) { writer in
            let row = try Self.identityID(identity, writer.gallery, writer.db)
            let correction = try writer.begin(.rename, identity: row)
            try writer.keep(identity: row, by: correction)
            try writer.rename(row, to: name)
            return correction
        }
    }

    /// Makes identities part of another, which keeps its label and metadata; theirs come back only when this is undone.
    /// Throws `.notFound` or `.invalid`. O(their sightings).
    public func mergeIdentities(
        _ others: [String], into identity: String, in gallery: String
    ) async throws -> Correction {
        try Validation.require((1...100).contains(others.count), "identities", "1 to 100", "\(others.count)")
        try Validation.distinct(others + [identity], "identities")
        return try await correct(in: gallery) { writer in
            let target = try Self.identityID(identity, writer.gallery, writer.db)
            let rows = try others.map { try Self.identityID($0, writer.gallery, writer.db) }
            let correction = try writer.begin(.merge, identity: target)
            for row in rows {
                try writer.keep(identity: row, by: correction)
                let sightings = try Int64.fetchAll(
                    writer.db, sql: "SELECT id FROM sighting WHERE gallery_id = ? AND identity_id = ?",
                    arguments: [writer.gallery, row])
                try writer.move(sightings, to: target, by: correction)
                try writer.db.execute(sql: "DELETE FROM identity WHERE id = ?", arguments: [row])
            }
            return correction
        }
    }

    /// Takes a correction back: later ones of the same sightings or names must have been undone before. What was erased since
    /// stays erased. Throws `.notFound`, `.outdated`, or `.alreadyExists` if the name of an identity is another's now.
    public func undoCorrection(_ id: String, in gallery: String) async throws -> Correction {
        try await correct(in: gallery) { writer in
            let row = try Row.fetchOne(
                writer.db,
                sql: "SELECT id, kind, identity_id, made, undone_at FROM correction WHERE gallery_id = ? AND uuid = ?",
                arguments: [writer.gallery, id])
            guard let row, let kind = Correction.Kind(rawValue: row[1]) else {
                throw GalleryError.notFound(.correction, id)
            }
            if row[4] != nil { throw GalleryError.outdated("it was undone already") }
            try writer.undo(row[0], kind, identity: row[2], made: row[3])
            try writer.db.execute(
                sql: "UPDATE correction SET undone_at = ? WHERE id = ?",
                arguments: [Date().milliseconds, row[0] as Int64])
            return row[0]
        }
    }

    /// The last 10 000 corrections of a gallery, the first one first. `limit` is 1–1000. Throws `.notFound`.
    public func corrections(
        in gallery: String, limit: Int = 50, after cursor: String? = nil
    ) async throws -> Page<Correction> {
        try Validation.limit(limit)
        let start = try Cursor(cursor)
        return try await read { db in
            let rows = try Row.fetchAll(
                db, sql: "\(Self.selectCorrection) WHERE c.gallery_id = ? AND c.id > ? ORDER BY c.id LIMIT ?",
                arguments: [Self.galleryID(gallery, db), start.key, limit + 1])
            return Page(rows.map { ($0["id"], Correction($0)) }, limit: limit)
        }
    }

    private func correct(
        in gallery: String, _ body: @escaping @Sendable (CorrectionWriter) throws -> Int64
    ) async throws -> Correction {
        try await write { [indexes] db in
            let writer = CorrectionWriter(gallery: try Self.galleryID(gallery, db), indexes: indexes, db: db)
            return Correction(try Row.only(db, "\(Self.selectCorrection) WHERE c.id = ?", [body(writer)]))
        }
    }

    private static let selectCorrection = """
        SELECT c.*, i.name AS identity,
            (SELECT COUNT(*) FROM correction_sighting WHERE correction_id = c.id) AS sightings
        FROM correction c LEFT JOIN live_identity i ON i.id = c.identity_id
        """
}

extension Correction {
    fileprivate init(_ row: Row) {
        let undoneAt: Int64? = row["undone_at"]
        self.init(
            id: row["uuid"], kind: Kind(rawValue: row["kind"]) ?? .move, identity: row["identity"],
            sightings: row["sightings"], createdAt: Date(milliseconds: row["created_at"]),
            undoneAt: undoneAt.map(Date.init(milliseconds:)))
    }
}
