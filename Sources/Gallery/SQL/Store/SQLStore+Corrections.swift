import Foundation

extension SQLStore {
    func correct(_ change: CorrectionChange, in gallery: String) async throws -> Correction {
        try await write { db in
            let writer = CorrectionWriter(gallery: try Self.galleryID(gallery, db), db: db)
            let row = try writer.correct(change)
            try db.audit(.corrected, gallery: writer.gallery, subject: row)
            return Correction(try db.only("\(Self.selectCorrection) WHERE c.id = ?", [row]))
        }
    }

    func corrections(in gallery: String, _ page: PageRequest) async throws -> Page<Correction> {
        try await read { db in
            let part = page.clause("c.id")
            let rows = try db.rows(
                "\(Self.selectCorrection) WHERE c.gallery_id = ? AND \(part.rest) ORDER BY \(part.order) LIMIT ?",
                [Self.galleryID(gallery, db), page.start, page.limit + 1])
            return Page(rows.map { ($0["id"], Correction($0)) }, page)
        }
    }

    private static let selectCorrection = """
        SELECT c.*, i.name AS identity,
            (SELECT COUNT(*) FROM correction_sighting WHERE correction_id = c.id) AS sightings
        FROM correction c LEFT JOIN live_identity i ON i.id = c.identity_id
        """
}

extension CorrectionWriter {
    /// Gives the correction's row.
    fileprivate func correct(_ change: CorrectionChange) throws -> Int64 {
        switch change {
        case .move(let sighting, let identity): try move(sighting, to: identity)
        case .split(let identity, let sightings, let new): try split(identity, sightings, into: new)
        case .rename(let identity, let name): try rename(identity, to: name)
        case .merge(let others, let identity): try merge(others, into: identity)
        case .distinguish(let identity, let others): try distinguish(identity, from: others)
        case .undo(let correction): try undo(correction)
        }
    }

    private func move(_ sighting: String, to identity: String) throws -> Int64 {
        let owner = try SQLStore.owner(of: sighting, gallery, db)
        let known = try SQLStore.findIdentity(identity, gallery, db)
        let target = try known ?? SQLStore.insertIdentity(NewIdentity(identity), gallery, db)
        try Validation.require(
            target != owner.identity, "identity", "another than the sighting's own", "'\(identity)'")
        let correction = try begin(.move, identity: target, made: known == nil)
        try move([owner.sighting], to: target, by: correction)
        return correction
    }

    private func split(_ identity: String, _ sightings: [String], into new: String) throws -> Int64 {
        let source = try SQLStore.identityID(identity, gallery, db)
        if try SQLStore.findIdentity(new, gallery, db) != nil { throw GalleryError.alreadyExists(.identity, new) }
        let rows = try sightings.map { id in
            let owner = try SQLStore.owner(of: id, gallery, db)
            guard owner.identity == source else { throw GalleryError.notFound(.sighting, id) }
            return owner.sighting
        }
        let target = try SQLStore.insertIdentity(NewIdentity(new), gallery, db)
        let correction = try begin(.split, identity: target, made: true)
        try move(rows, to: target, by: correction)
        try tellApart(source, target, by: correction)
        return correction
    }

    private func rename(_ identity: String, to name: String) throws -> Int64 {
        let row = try SQLStore.identityID(identity, gallery, db)
        let correction = try begin(.rename, identity: row)
        try keep(identity: row, by: correction)
        try rename(row, to: name)
        return correction
    }

    private func merge(_ others: [String], into identity: String) throws -> Int64 {
        let target = try SQLStore.identityID(identity, gallery, db)
        let rows = try others.map { try SQLStore.identityID($0, gallery, db) }
        let correction = try begin(.merge, identity: target)
        for row in rows {
            try keep(identity: row, by: correction)
            let sightings = try db.values(
                Int64.self, "SELECT id FROM sighting WHERE gallery_id = ? AND identity_id = ?", [gallery, row])
            try move(sightings, to: target, by: correction)
            // Who is watched for under one name is under the other.
            try db.execute(
                """
                UPDATE identity SET watchlist = 1
                WHERE id = ? AND (SELECT watchlist FROM identity WHERE id = ?) = 1
                """, [target, row])
            try passOn(from: row, to: target, by: correction)
            try db.execute("DELETE FROM identity WHERE id = ?", [row])
        }
        return correction
    }

    private func undo(_ id: String) throws -> Int64 {
        let row = try db.first(
            "SELECT id, kind, identity_id, made, undone_at FROM correction WHERE gallery_id = ? AND uuid = ?",
            [gallery, id])
        guard let row, let kind = Correction.Kind(rawValue: row[1]) else {
            throw GalleryError.notFound(.correction, id)
        }
        if !row.isNull(4) { throw GalleryError.outdated("it was undone already") }
        try undo(row[0], kind, identity: row[2], made: row[3])
        try db.execute("UPDATE correction SET undone_at = ? WHERE id = ?", [Date().milliseconds, row[0] as Int64])
        return row[0]
    }
}

extension Correction {
    fileprivate init(_ row: SQLRow) {
        let undoneAt: Int64? = row["undone_at"]
        self.init(
            id: row["uuid"], kind: Kind(rawValue: row["kind"]) ?? .move, identity: row["identity"],
            sightings: row["sightings"], createdAt: Date(milliseconds: row["created_at"]),
            undoneAt: undoneAt.map(Date.init(milliseconds:)))
    }
}
