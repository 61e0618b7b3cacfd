import Foundation

extension SQLStore {
    func distinctions(of identities: [String], in gallery: String) async throws -> [String: [Distinction]] {
        try await read { db in
            let id = try Self.galleryID(gallery, db)
            return try identities.reduce(into: [:]) { found, name in
                guard let row = try Self.findIdentity(name, id, db) else { return }
                let distinctions = try db.rows(Self.selectDistinctions, [row]).map(Distinction.init)
                found[name] = distinctions.isEmpty ? nil : distinctions
            }
        }
    }

    private static let selectDistinctions = """
        SELECT i.name, i.label, c.uuid, d.created_at, i.id < ?1 AS is_earlier FROM (
            SELECT second_id AS other, correction_id, created_at FROM distinction WHERE first_id = ?1
            UNION ALL
            SELECT first_id, correction_id, created_at FROM distinction WHERE second_id = ?1
        ) AS d JOIN live_identity i ON i.id = d.other LEFT JOIN correction c ON c.id = d.correction_id
        ORDER BY d.created_at DESC, i.id DESC
        """
}

extension Distinction {
    fileprivate init(_ row: SQLRow) {
        self.init(
            identity: row["name"], label: row["label"], correction: row["uuid"],
            createdAt: Date(milliseconds: row["created_at"]), isEarlier: row["is_earlier"])
    }
}

/// A distinction is of two identities, by their rows, the earlier one first. It is the correction's that said so; one that a merge
/// has passed on is the merge's as well.
extension CorrectionWriter {
    /// Says that an identity is not the same as others. Gives the correction's row. Throws `.notFound` or `.invalid`.
    func distinguish(_ identity: String, from others: [String]) throws -> Int64 {
        let row = try SQLStore.identityID(identity, gallery, db)
        let rows = try others.map { try SQLStore.identityID($0, gallery, db) }
        let known = try distinctions(of: row)
        let new = rows.filter { !known.contains($0) }
        try Validation.require(
            !new.isEmpty, "identities", "another than those that '\(identity)' was told apart from",
            others.map { "'\($0)'" }.joined(separator: ", "))
        try Validation.require(
            known.count + new.count <= Distinction.most, "identities",
            "at most \(Distinction.most) that '\(identity)' is told apart from", "\(known.count + new.count)")
        let correction = try begin(.distinguish, identity: row)
        for other in new { try tellApart(row, other, by: correction) }
        return correction
    }

    /// The same of one that was just made, by rows; nothing if there are no others.
    func distinguish(_ identity: Int64, from others: [Int64]) throws {
        if others.isEmpty { return }
        let correction = try begin(.distinguish, identity: identity)
        for other in others { try tellApart(identity, other, by: correction) }
    }

    /// Says that two identities are not the same, unless that is known.
    func tellApart(_ one: Int64, _ other: Int64, by correction: Int64) throws {
        try db.execute(
            "INSERT INTO distinction VALUES (?, ?, ?, NULL, ?) ON CONFLICT DO NOTHING",
            [min(one, other), max(one, other), correction, Date().milliseconds])
    }

    private func distinctions(of identity: Int64) throws -> Set<Int64> {
        Set(
            try db.values(
                Int64.self,
                """
                SELECT second_id FROM distinction WHERE first_id = ?1
                UNION ALL SELECT first_id FROM distinction WHERE second_id = ?1
                """, [identity]))
    }

    /// Tells an identity apart from whom another was that is about to become part of it, and writes these down.
    func passOn(from ended: Int64, to identity: Int64, by correction: Int64) throws {
        try db.execute(
            """
            INSERT INTO correction_distinction
            SELECT ?1, first_id, second_id, correction_id, merge_id, created_at FROM distinction
            WHERE (first_id = ?2 OR second_id = ?2) AND merge_id IS DISTINCT FROM ?1
            """, [correction, ended])
        try db.execute(
            """
            INSERT INTO distinction
            SELECT CASE WHEN other < ?3 THEN other ELSE ?3 END, CASE WHEN other < ?3 THEN ?3 ELSE other END,
                correction_id, ?1, created_at
            FROM (
                SELECT CASE first_id WHEN ?2 THEN second_id ELSE first_id END AS other, correction_id, created_at
                FROM distinction WHERE first_id = ?2 OR second_id = ?2) AS known
            WHERE other <> ?3 ON CONFLICT DO NOTHING
            """, [correction, ended, identity])
    }

    /// Takes back what a split has said and a merge has passed on, and puts back what went with the identities that it ended. Throws
    /// `GalleryError.outdated`.
    func restoreDistinctions(_ correction: Int64) throws {
        try db.execute("DELETE FROM distinction WHERE correction_id = ?1 OR merge_id = ?1", [correction])
        // What was erased is not in it: an identity that is not there is part of another.
        let isLater = try db.value(
            Bool.self,
            """
            SELECT EXISTS (
                SELECT 1 FROM correction_distinction WHERE correction_id = ? AND (
                    first_id NOT IN (SELECT id FROM identity) OR second_id NOT IN (SELECT id FROM identity)))
            """, [correction])
        if isLater == true {
            throw GalleryError.outdated("a later correction has merged what was told apart from it: undo that first")
        }
        try db.execute(
            """
            INSERT INTO distinction
            SELECT first_id, second_id, said_by, merge_id, created_at FROM correction_distinction
            WHERE correction_id = ? ON CONFLICT DO NOTHING
            """, [correction])
    }

    /// Takes back what a correction has said, also of identities that have become part of others since.
    func takeBack(_ correction: Int64) throws {
        let kept = try db.execute("DELETE FROM correction_distinction WHERE said_by = ?", [correction])
        let current = try db.execute("DELETE FROM distinction WHERE correction_id = ?", [correction])
        guard kept + current > 0 else {
            throw GalleryError.outdated("the identities that it told apart were erased, or have become one")
        }
    }

    /// Forgets whom an identity was told apart from that is erased.
    static func forgetDistinctions(of identity: Int64, _ db: any SQLSession) throws {
        for table in ["distinction", "correction_distinction"] {
            try db.execute("DELETE FROM \(table) WHERE first_id = ?1 OR second_id = ?1", [identity])
        }
    }
}
