import Foundation

/// One correction in one transaction: writes down what is about to change, and changes it.
struct CorrectionWriter {
    /// How many corrections of a gallery are kept.
    static let most = 10_000

    let gallery: Int64
    let db: any SQLSession

    /// Writes down a correction by which sightings go to an identity, or which renames it. Gives its row.
    func begin(_ kind: Correction.Kind, identity: Int64, made: Bool = false) throws -> Int64 {
        let now = Date()
        let correction = try db.insert(
            """
            INSERT INTO correction (gallery_id, uuid, kind, identity_id, made, created_at) VALUES (?, ?, ?, ?, ?, ?)
            """, [gallery, SightingIdentifier.make(at: now), kind.rawValue, identity, made, now.milliseconds])
        try db.execute(
            """
            DELETE FROM correction WHERE gallery_id = ?1 AND id <= (
                SELECT id FROM correction WHERE gallery_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
            """, [gallery, Self.most])
        return correction
    }

    /// Moves sightings to an identity, by their rows.
    func move(_ sightings: [Int64], to identity: Int64, by correction: Int64) throws {
        for sighting in sightings {
            try db.execute(
                "INSERT INTO correction_sighting SELECT ?, id, identity_id FROM sighting WHERE id = ?",
                [correction, sighting])
        }
        try assign(sightings, to: identity)
    }

    /// Writes down what an identity is.
    func keep(identity: Int64, by correction: Int64) throws {
        try db.execute(
            """
            INSERT INTO correction_identity
            SELECT ?, id, name, label, metadata, created_at, updated_at, watchlist FROM identity WHERE id = ?
            """, [correction, identity])
    }

    /// Takes a correction back, by its row. Throws `GalleryError.outdated`, and `.alreadyExists` for a name that another has now.
    func undo(_ correction: Int64, _ kind: Correction.Kind, identity: Int64, made: Bool) throws {
        switch kind {
        case .rename: return try undoName(of: identity, correction)
        case .distinguish: return try takeBack(correction)
        case .move, .merge, .split: break
        }
        let moves = try db.rows(
            """
            SELECT c.sighting_id, c.from_id, s.identity_id FROM correction_sighting c JOIN sighting s ON s.id = c.sighting_id
            WHERE c.correction_id = ?
            """, [correction])
        guard moves.allSatisfy({ $0[2] == identity }) else {
            throw GalleryError.outdated("a later correction has moved its sightings on: undo that first")
        }
        try restoreIdentities(correction)
        for move in moves {
            let from: Int64 = move[1]
            guard try isLive(from) else {
                throw GalleryError.outdated("the identity that it took sightings from was erased")
            }
            try assign([move[0]], to: from)
        }
        guard kind == .merge || !moves.isEmpty else { throw GalleryError.outdated("what it has moved was erased") }
        try restoreDistinctions(correction)
        if made { try db.execute(Self.deleteEmpty, [identity]) }
    }

    /// Unless it got sightings from elsewhere, a label or metadata.
    private static let deleteEmpty = """
        DELETE FROM identity WHERE id = ?1 AND label IS NULL AND metadata = '{}'
            AND (SELECT sightings FROM identity_tally WHERE identity_id = ?1) = 0
        """

    private func undoName(of identity: Int64, _ correction: Int64) throws {
        let later = try db.value(
            Bool.self,
            """
            SELECT EXISTS (
                SELECT 1 FROM correction WHERE identity_id = ? AND kind = 'rename' AND id > ? AND undone_at IS NULL)
            """, [identity, correction])
        if later == true { throw GalleryError.outdated("a later correction has renamed it again: undo that first") }
        guard try isLive(identity) else {
            throw GalleryError.outdated("the identity is part of another, or was erased")
        }
        let name: String = try db.only("SELECT name FROM correction_identity WHERE correction_id = ?", [correction])[0]
        try rename(identity, to: name)
    }

    /// Throws `.alreadyExists`.
    func rename(_ identity: Int64, to name: String) throws {
        if try SQLStore.findIdentity(name, gallery, db) != nil { throw GalleryError.alreadyExists(.identity, name) }
        try db.execute(
            "UPDATE identity SET name = ?, updated_at = ? WHERE id = ?", [name, Date().milliseconds, identity])
    }

    /// Makes the identities that a merge has ended anew, under the rows that they had.
    private func restoreIdentities(_ correction: Int64) throws {
        let rows = try db.rows("SELECT * FROM correction_identity WHERE correction_id = ?", [correction])
        for row in rows {
            let name: String = row["name"]
            if try SQLStore.findIdentity(name, gallery, db) != nil {
                throw GalleryError.alreadyExists(.identity, name)
            }
            try db.execute(
                """
                INSERT INTO identity (id, gallery_id, name, label, metadata, created_at, updated_at, watchlist)
                SELECT identity_id, ?, name, label, metadata, created_at, updated_at, watchlist
                FROM correction_identity
                WHERE correction_id = ? AND identity_id = ?
                """, [gallery, correction, row["identity_id"] as Int64])
        }
    }

    private func isLive(_ identity: Int64) throws -> Bool {
        try db.value(Bool.self, "SELECT EXISTS (SELECT 1 FROM live_identity WHERE id = ?)", [identity])
            ?? false
    }

    private func assign(_ sightings: [Int64], to identity: Int64) throws {
        let statement = "UPDATE sighting SET identity_id = ? WHERE id = ?"
        for sighting in sightings { try db.execute(statement, [identity, sighting]) }
        db.apply([.move(sightings, to: identity, gallery: gallery)])
    }

    /// Forgets what corrections know of an identity that is erased.
    static func forget(identity: Int64, _ db: any SQLSession) throws {
        try db.execute(
            """
            DELETE FROM correction WHERE identity_id = ?1
                OR id IN (SELECT correction_id FROM correction_sighting WHERE from_id = ?1)
                OR id IN (SELECT correction_id FROM correction_identity WHERE identity_id = ?1)
            """, [identity])
        try forgetDistinctions(of: identity, db)
    }
}
