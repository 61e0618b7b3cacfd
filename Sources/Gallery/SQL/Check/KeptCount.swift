/// A count that triggers keep, or a last time, and how to count it.
struct KeptCount {
    let what: String
    /// Selects the key, the kept count, and the true one, of those that differ.
    let differences: String
    /// Sets the true ones.
    let correction: String

    /// A column of a table whose rows are found by a key.
    private init(_ table: String, _ key: String, _ column: String, _ truth: String) {
        what = "\(table).\(column)"
        differences = """
            SELECT owner, kept, truth FROM (
                SELECT \(key) AS owner, \(column) AS kept, (\(truth)) AS truth FROM \(table) t
            ) c WHERE kept IS DISTINCT FROM truth
            """
        correction = "UPDATE \(table) AS t SET \(column) = (\(truth)) WHERE \(column) IS DISTINCT FROM (\(truth))"
    }

    static let all = [
        KeptCount(
            "gallery_tally", "gallery_id", "identities", "SELECT COUNT(*) FROM identity WHERE gallery_id = t.gallery_id"
        ),
        KeptCount(
            "gallery_tally", "gallery_id", "sightings", "SELECT COUNT(*) FROM sighting WHERE gallery_id = t.gallery_id"),
        KeptCount(
            "gallery_tally", "gallery_id", "images",
            "SELECT COUNT(*) FROM sighting s JOIN image i ON i.sighting_id = s.id WHERE s.gallery_id = t.gallery_id"),
        KeptCount(
            "gallery_tally", "gallery_id", "image_bytes",
            """
            SELECT COALESCE(SUM(length(i.bytes)), 0) FROM sighting s JOIN image i ON i.sighting_id = s.id
            WHERE s.gallery_id = t.gallery_id
            """),
        KeptCount(
            "identity_tally", "identity_id", "sightings",
            """
            SELECT COUNT(*) FROM sighting s JOIN identity i ON i.id = t.identity_id
            WHERE s.gallery_id = i.gallery_id AND s.identity_id = i.id
            """),
        KeptCount("identity_tally", "identity_id", "last_seen", Schema.latest(of: "t.identity_id")),
        KeptCount("model", "id", "sightings", "SELECT COUNT(*) FROM embedding WHERE model_id = t.id"),
        KeptCount(
            "coverage", "gallery_id", "sightings",
            """
            SELECT COUNT(*) FROM embedding e JOIN sighting s ON s.id = e.sighting_id
            WHERE e.model_id = t.model_id AND s.gallery_id = t.gallery_id
            """),
        KeptCount("total", "only_row", "sightings", "SELECT COUNT(*) FROM sighting"),
    ]

    func examine(_ db: any SQLSession, _ report: inout GalleryCheck.Report) throws {
        try db.forEach(differences, []) { row in
            let (key, kept, truth): (Int64, Int64?, Int64?) = (row[0], row[1], row[2])
            let (found, expected) = (kept.map { "\($0)" } ?? "nothing", truth.map { "\($0)" } ?? "nothing")
            report.add("counts", "\(what) of \(key) is \(found), of \(expected)", repair: "count anew")
        }
    }

    func repair(_ db: any SQLSession) throws { try db.execute(correction) }
}

/// The index of metadata, of sightings or identities.
struct KeptFields {
    let owner: String

    static let all = [KeptFields(owner: "sighting"), KeptFields(owner: "identity")]

    func examine(_ db: any SQLSession, _ report: inout GalleryCheck.Report) throws {
        do {
            // A part, so that what PostgreSQL refuses does not end the examination.
            try db.savepoint { try compare(db, &report) }
        } catch let error as PostgreSQLError where error.state == "22P02" {
            report.add("fields", "metadata of \(owner) is no JSON: \(error.message)")
        }
    }

    private func compare(_ db: any SQLSession, _ report: inout GalleryCheck.Report) throws {
        let (truth, kept) = (db.dialect.fieldValues(of: owner), "SELECT * FROM \(owner)_field")
        for (first, second, name) in [(truth, kept, "lacks"), (kept, truth, "has too many")] {
            let count: Int = try db.only("SELECT COUNT(*) FROM (\(first) EXCEPT \(second)) AS d")[0]
            if count > 0 {
                report.add("fields", "the index of metadata of \(owner) \(name): \(count)", repair: "make it anew")
            }
        }
    }

    func repair(_ db: any SQLSession) throws {
        try db.execute("DELETE FROM \(owner)_field")
        try db.execute("INSERT INTO \(owner)_field \(db.dialect.fieldValues(of: owner))")
    }
}

extension SQLDialect {
    fileprivate func fieldValues(of owner: String) -> String {
        switch self {
        case .sqlite: Schema.fieldValues(of: owner)
        case .postgresql: PostgreSQLStructure.fieldValues(of: owner)
        }
    }
}
