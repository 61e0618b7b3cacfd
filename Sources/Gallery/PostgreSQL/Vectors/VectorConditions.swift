/// Which sightings may answer, as conditions on their row `s`.
struct VectorConditions {
    /// Where all sightings are compared: a table that a condition asks is joined.
    private(set) var joined: SQLFragment = ""
    /// Where an index gives one sighting after the other: it is looked up for each (`OFFSET` has it so), as a join would read all that
    /// fulfil a condition for each of them.
    private(set) var visited: SQLFragment = ""
    /// Of the conditions that may leave few, what each alone selects: all that may answer are in each.
    private var selections: [SQLFragment] = []
    private let gallery: Int64

    /// - Parameter gallery: whose names a filter uses.
    init(_ filter: QueryFilter, _ gallery: Int64) {
        self.gallery = gallery
        if let cameras = filter.cameras { add(few: "s.camera = ANY (\(texts: cameras))") }
        if let cameras = filter.excludeCameras {
            add("(s.camera IS NULL OR s.camera <> ALL (\(texts: cameras)))")
        }
        addTimes(filter)
        addIdentities(filter)
        if let sightings = filter.excludeSightings { add("s.uuid <> ALL (\(texts: sightings))") }
        addMetadata(filter)
    }

    /// These alone, by row.
    init(sightings: [Int64], _ gallery: Int64) {
        self.gallery = gallery
        add("s.id = ANY (\(numbers: sightings))")
    }

    /// The sightings that fulfil all of them, by row, if one of them alone selects no more than so many; nil if none is known to.
    /// O(most · conditions + found).
    func admitted(most: Int, _ db: any SQLSession) throws -> [Int64]? {
        let narrow = try selections.first { selection in
            let some: SQLFragment = "SELECT COUNT(*) FROM (\(part: selection) LIMIT \(most + 1)) few"
            let count: Int = try db.only(some.sql, some.arguments)[0]
            return count <= most
        }
        guard let narrow else { return nil }
        let all: SQLFragment = """
            SELECT s.id FROM live_sighting s
            WHERE s.gallery_id = \(gallery) AND s.id IN (\(part: narrow))\(part: visited)
            """
        return try db.rows(all).map { $0[0] }
    }

    /// Of none of these identities, by row.
    mutating func add(without identities: [Int64]) {
        if !identities.isEmpty { add("s.identity_id <> ALL (\(numbers: identities))") }
    }

    /// Of one of these.
    mutating func add(of identities: [Int64]) { add("s.identity_id = ANY (\(numbers: identities))") }

    private mutating func addTimes(_ filter: QueryFilter) {
        let times: [SQLFragment] = [
            filter.capturedAfter.map { "s.captured_at >= \($0.milliseconds)" },
            filter.capturedBefore.map { "s.captured_at < \($0.milliseconds)" },
        ].compactMap { $0 }
        if !times.isEmpty { add(few: times.joined(separator: " AND ")) }
    }

    private mutating func addIdentities(_ filter: QueryFilter) {
        func are(_ names: [String]) -> SQLFragment { "l.gallery_id = \(gallery) AND l.name = ANY (\(texts: names))" }
        func select(_ names: [String]) -> SQLFragment { "SELECT l.id FROM live_identity l WHERE \(part: are(names))" }
        if let names = filter.identities {
            add(few: "s.identity_id IN (\(part: select(names)))", visited: own("live_identity", are(names)))
        }
        if let names = filter.excludeIdentities {
            add(
                "s.identity_id NOT IN (\(part: select(names)))",
                visited: "NOT \(part: own("live_identity", are(names)))")
        }
        if let prefix = filter.labelPrefix {
            // No text that begins so comes after the last scalar, which no label has.
            add(labels: "l.label >= \(prefix) AND l.label < \(prefix + "\u{10FFFF}")")
        }
        if let isLabelled = filter.isLabelled { add(labels: isLabelled ? "l.label IS NOT NULL" : "l.label IS NULL") }
    }

    private mutating func add(labels condition: SQLFragment) {
        add(
            few: "EXISTS (SELECT 1 FROM identity l WHERE l.id = s.identity_id AND \(part: condition))",
            visited: own("identity", condition))
    }

    /// That the sighting's identity, of a table, fulfils a condition.
    private func own(_ table: String, _ condition: SQLFragment) -> SQLFragment {
        "EXISTS (SELECT 1 FROM \(sql: table) l WHERE l.id = s.identity_id AND \(part: condition) OFFSET 0)"
    }

    private mutating func addMetadata(_ filter: QueryFilter) {
        for (key, condition) in filter.metadata?.sorted(by: { $0.key < $1.key }) ?? [] {
            let selection = MetadataField.selection(key, condition, gallery, .postgresql)
            add("s.id IN (\(part: selection))", visited: MetadataField.test(key, condition, .postgresql))
            selections.append(selection)
        }
        for (key, condition) in filter.excludeMetadata?.sorted(by: { $0.key < $1.key }) ?? [] {
            let selection = MetadataField.selection(key, condition, gallery, .postgresql)
            add(
                "s.id NOT IN (\(part: selection))",
                visited: "NOT \(part: MetadataField.test(key, condition, .postgresql))")
        }
    }

    private mutating func add(few condition: SQLFragment, visited: SQLFragment? = nil) {
        add(condition, visited: visited)
        selections.append("SELECT s.id FROM sighting s WHERE s.gallery_id = \(gallery) AND \(part: condition)")
    }

    private mutating func add(_ condition: SQLFragment, visited alone: SQLFragment? = nil) {
        joined = "\(part: joined) AND \(part: condition)"
        visited = "\(part: visited) AND \(part: alone ?? condition)"
    }
}

extension SQLFragment.StringInterpolation {
    fileprivate mutating func appendInterpolation(texts: [String]) {
        appendInterpolation(part: "CAST(\(PostgreSQLArray(texts).text) AS text[])")
    }

    fileprivate mutating func appendInterpolation(numbers: [Int64]) {
        appendInterpolation(part: "CAST(\(PostgreSQLArray(numbers).text) AS bigint[])")
    }
}
