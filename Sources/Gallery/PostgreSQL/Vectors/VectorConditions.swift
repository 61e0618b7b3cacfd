/// Which sightings may answer, as conditions on their row `s`.
struct VectorConditions {
    private(set) var sql: SQLFragment = ""

    /// - Parameter gallery: whose names a filter uses.
    init(_ filter: QueryFilter, _ gallery: Int64) {
        if let cameras = filter.cameras { add("s.camera = ANY (\(texts: cameras))") }
        if let cameras = filter.excludeCameras {
            add("(s.camera IS NULL OR s.camera <> ALL (\(texts: cameras)))")
        }
        if let time = filter.capturedAfter { add("s.captured_at >= \(time.milliseconds)") }
        if let time = filter.capturedBefore { add("s.captured_at < \(time.milliseconds)") }
        if let names = filter.identities { add("s.identity_id IN (\(part: Self.identities(names, gallery)))") }
        if let names = filter.excludeIdentities {
            add("s.identity_id NOT IN (\(part: Self.identities(names, gallery)))")
        }
        if let sightings = filter.excludeSightings { add("s.uuid <> ALL (\(texts: sightings))") }
        if let prefix = filter.labelPrefix {
            // No text that begins so comes after the last scalar, which no label has.
            add(labels: "l.label >= \(prefix) AND l.label < \(prefix + "\u{10FFFF}")")
        }
        if let isLabelled = filter.isLabelled { add(labels: isLabelled ? "l.label IS NOT NULL" : "l.label IS NULL") }
        for (key, condition) in filter.metadata?.sorted(by: { $0.key < $1.key }) ?? [] {
            add("s.id IN (\(part: MetadataField.selection(key, condition, gallery, .postgresql)))")
        }
        for (key, condition) in filter.excludeMetadata?.sorted(by: { $0.key < $1.key }) ?? [] {
            add("s.id NOT IN (\(part: MetadataField.selection(key, condition, gallery, .postgresql)))")
        }
    }

    /// Of none of these identities, by row.
    mutating func add(without identities: [Int64]) {
        if !identities.isEmpty { add("s.identity_id <> ALL (\(numbers: identities))") }
    }

    /// Of one of these.
    mutating func add(of identities: [Int64]) { add("s.identity_id = ANY (\(numbers: identities))") }

    private mutating func add(labels condition: SQLFragment) {
        add("EXISTS (SELECT 1 FROM identity l WHERE l.id = s.identity_id AND \(part: condition))")
    }

    private mutating func add(_ condition: SQLFragment) { sql = "\(part: sql) AND \(part: condition)" }

    private static func identities(_ names: [String], _ gallery: Int64) -> SQLFragment {
        "SELECT id FROM live_identity WHERE gallery_id = \(gallery) AND name = ANY (\(texts: names))"
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
