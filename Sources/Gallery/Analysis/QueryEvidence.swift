/// What one sighting has shown, looked for among all others of its gallery.
struct QueryEvidence: Sendable {
    typealias Mark = RankCounter.Mark

    /// Its place in the roster.
    let place: Int
    /// The others of its identity, best first.
    let genuine: [Mark]
    /// How many of other identities come before each of these.
    let ahead: [Int]
    /// The best of its identity, by the modalities that were compared.
    let bestGenuine: [[String]: Mark]
    /// The best of other identities, likewise.
    let bestImpostors: [[String]: Mark]

    /// The best of other identities in all.
    var impostor: Mark? { bestImpostors.values.min { $0.precedes($1) } }
}

/// The best mark for each set of modalities by its number.
private struct BestBySet: Sendable {
    private var best: [RankCounter.Mark?] = []

    mutating func add(_ mark: RankCounter.Mark, _ set: Int) {
        while best.count <= set { best.append(nil) }
        if best[set].map(mark.precedes) ?? true { best[set] = mark }
    }

    func named(_ sets: [[String]]) -> [[String]: RankCounter.Mark] {
        Dictionary(uniqueKeysWithValues: zip(sets, best).compactMap { names, mark in mark.map { (names, $0) } })
    }
}

/// The others of each query's identity.
private struct GenuineScores: ScoreVisitor {
    let queries: [Int]
    let members: [GalleryRoster.Member]
    private(set) var marks: [[RankCounter.Mark]]
    private(set) var best: [BestBySet]
    /// Pairs that cannot be compared.
    private(set) var incomparable = 0

    init(_ queries: [Int], _ roster: GalleryRoster) {
        (self.queries, members) = (queries, roster.members)
        marks = [[RankCounter.Mark]](repeating: [], count: queries.count)
        best = [BestBySet](repeating: BestBySet(), count: queries.count)
    }

    func admits(_ query: Int, _ other: Int) -> Bool {
        members[queries[query]].identity == members[other].identity && queries[query] != other
    }

    mutating func visit(_ query: Int, _ other: Int, score: Float?, set: Int) {
        guard let score else {
            incomparable += 1
            return
        }
        let mark = RankCounter.Mark(score: score, place: other)
        marks[query].append(mark)
        best[query].add(mark, set)
    }
}

/// How all others rank among these.
private struct ImpostorRanks: ScoreVisitor {
    let queries: [Int]
    let members: [GalleryRoster.Member]
    private(set) var counters: [RankCounter]
    private(set) var best: [BestBySet]

    init(_ queries: [Int], _ counters: [RankCounter], _ roster: GalleryRoster) {
        (self.queries, self.counters, members) = (queries, counters, roster.members)
        best = [BestBySet](repeating: BestBySet(), count: queries.count)
    }

    func admits(_ query: Int, _ other: Int) -> Bool { members[queries[query]].identity != members[other].identity }

    mutating func visit(_ query: Int, _ other: Int, score: Float?, set: Int) {
        guard let score else { return }
        let mark = RankCounter.Mark(score: score, place: other)
        counters[query].count(mark)
        best[query].add(mark, set)
    }
}

extension ScorePass {
    /// Looks for some sightings among all others, in two passes: one over their identities, which gives the scores to count
    /// from, and one over all. What was erased meanwhile shows nothing.
    ///
    /// - Parameters:
    ///   - relatives: the places of each identity's sightings.
    ///   - progress: told which share is done.
    /// - Returns: the evidence in the order of the queries, and how many pairs of an identity cannot be compared.
    func evidence(
        on queries: [Int], relatives: [Int32: [Int]], progress: (_ share: Double) async throws -> Void
    ) async throws -> (evidence: [QueryEvidence], incomparable: Int) {
        let identities = Set(queries.map { roster.members[$0].identity })
        let kin = identities.flatMap { relatives[$0] ?? [] }.sorted()
        let genuine = try await run(queries, with: kin) { GenuineScores($0, roster) }
        var counters = genuine.flatMap { $0.visitor.marks.map(RankCounter.init) }[...]
        let all = Array(roster.members.indices)
        let impostors = try await run(queries, with: all) { some in
            defer { counters = counters.dropFirst(some.count) }
            return ImpostorRanks(some, Array(counters.prefix(some.count)), roster)
        } progress: {
            try await progress(Double($0) / Double(all.count))
        }
        let evidence = zip(genuine, impostors).flatMap { genuine, impostors in
            genuine.visitor.queries.indices.map { index in
                QueryEvidence(
                    place: genuine.visitor.queries[index], genuine: impostors.visitor.counters[index].marks,
                    ahead: impostors.visitor.counters[index].ahead,
                    bestGenuine: genuine.visitor.best[index].named(genuine.sets),
                    bestImpostors: impostors.visitor.best[index].named(impostors.sets))
            }
        }
        return (evidence, genuine.reduce(0) { $0 + $1.visitor.incomparable })
    }
}
