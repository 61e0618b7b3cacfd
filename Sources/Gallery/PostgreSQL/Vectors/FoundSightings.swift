/// Sightings that a database has given, whose they are, and what they score by their stored vectors.
struct FoundSightings {
    private struct Entry {
        let identity: Int32
        let camera: Int32
        let layout: Int
        var score: Float?
    }

    /// An identity, or a sighting alone.
    struct Group {
        /// The best sighting, with what the group scores.
        let hit: VectorIndex.Hit
        let identity: Int64
        var score: Float { hit.score }
    }

    private var entries: [Int64: Entry] = [:]
    private var unscored: [Int64] = []
    /// Rows of identities by ordinal, and the other way round.
    private(set) var identities: [Int64] = []
    private var ordinals: [Int64: Int32] = [:]
    private var cameras: [String: Int32] = [:]

    var count: Int { entries.count }

    /// Those that are not there yet.
    mutating func add(_ rows: [VectorScan.Row], _ layout: Int) {
        for row in rows where entries[row.sighting] == nil {
            entries[row.sighting] = Entry(
                identity: ordinal(of: row.identity), camera: row.camera.map { ordinal(ofCamera: $0) } ?? -1,
                layout: layout)
            unscored.append(row.sighting)
        }
    }

    private mutating func ordinal(of identity: Int64) -> Int32 {
        if let known = ordinals[identity] { return known }
        ordinals[identity] = Int32(identities.count)
        identities.append(identity)
        return Int32(identities.count - 1)
    }

    private mutating func ordinal(ofCamera camera: String) -> Int32 {
        if let known = cameras[camera] { return known }
        cameras[camera] = Int32(cameras.count)
        return Int32(cameras.count - 1)
    }

    /// Scores those that have no score yet; whatever has none then cannot be compared.
    ///
    /// - Parameters:
    ///   - vectors: gives stored vectors.
    ///   - score: of vectors, of a layout.
    mutating func score(
        _ vectors: ([Int64]) throws -> [Int64: [IndexVector]], _ score: ([IndexVector], _ layout: Int) -> Float?
    ) throws {
        let batch = 512
        for start in stride(from: 0, to: unscored.count, by: batch) {
            let some = Array(unscored[start..<min(start + batch, unscored.count)])
            let stored = try vectors(some)
            for sighting in some {
                guard let entry = entries[sighting], let found = stored[sighting] else { continue }
                entries[sighting]?.score = score(found, entry.layout)
            }
        }
        unscored = []
    }

    /// The best first, equal ones in order of enrolment. O(sightings · log sightings).
    func groups(_ grouping: Grouping, _ score: IdentityScore) -> [Group] {
        let members = entries.compactMap { sighting, entry in
            entry.score.map { score in
                CompoundSearch.Candidate(
                    sighting: sighting, identity: entry.identity, camera: entry.camera, table: Int32(entry.layout),
                    lower: score, upper: score)
            }
        }
        var (tally, groups) = (GroupScore(score), [Group]())
        CandidateGroups([members], grouping).forEach { members in
            let (combined, counted) = tally.combined(members, \.lower)
            let best = members.map { VectorIndex.Hit(sighting: $0.sighting, score: $0.lower, identity: $0.identity) }
                .min(by: VectorIndex.Hit.precedes)
            guard let best else { return }
            groups.append(
                Group(
                    hit: VectorIndex.Hit(
                        sighting: best.sighting, score: combined, identity: best.identity,
                        counted: score == .best ? nil : counted),
                    identity: identities[Int(best.identity)]))
        }
        return groups.sorted { VectorIndex.Hit.precedes($0.hit, $1.hit) }
    }
}
