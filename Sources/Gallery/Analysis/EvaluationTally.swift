/// Adds up what queries have shown.
struct EvaluationTally: Sendable {
    private let roster: GalleryRoster
    /// By the modalities that are compared.
    private let thresholds: [[String]: Float]
    private var (all, crossCamera) = (RetrievalSums(), RetrievalSums())
    private var scores: [[String]: ScoreSample] = [:]
    private var precisions: [Int32: (sum: Double, queries: Int)] = [:]
    private var failures: [KeptEvaluation.Failure] = []
    private var (known, missed, newcomers, accepted) = (0, 0, 0, 0)
    private var incomparable = 0

    init(_ roster: GalleryRoster, thresholds: [[String]: Float]) {
        (self.roster, self.thresholds) = (roster, thresholds)
    }

    /// Adds queries and the pairs of an identity that could not be compared. One that was erased meanwhile has shown nothing.
    mutating func add(_ evidence: [QueryEvidence], incomparable count: Int) {
        incomparable += count
        for one in evidence where !one.genuine.isEmpty || !one.bestImpostors.isEmpty { add(one) }
    }

    private mutating func add(_ evidence: QueryEvidence) {
        let query = roster.members[evidence.place]
        let average = all.add(evidence.ahead)
        // Sightings of the identity that are left out move no other one: only those of other identities count as ahead.
        crossCamera.add(
            zip(evidence.genuine, evidence.ahead).filter { [roster] mark, _ in
                let camera = roster.members[mark.place].camera
                return camera >= 0 && query.camera >= 0 && camera != query.camera
            }.map(\.1))
        if let average {
            let (sum, queries) = precisions[query.identity] ?? (0, 0)
            precisions[query.identity] = (sum + average, queries + 1)
        }
        addScores(of: evidence)
        addFailure(of: evidence, query)
    }

    private mutating func addScores(of evidence: QueryEvidence) {
        for (set, mark) in evidence.bestGenuine { scores[set, default: ScoreSample()].add(genuine: mark.score) }
        for (set, mark) in evidence.bestImpostors { scores[set, default: ScoreSample()].add(impostor: mark.score) }
        let reaches = { [thresholds] (best: [[String]: RankCounter.Mark]) in
            best.contains { set, mark in thresholds[set].map { mark.score >= $0 } ?? false }
        }
        newcomers += 1
        if reaches(evidence.bestImpostors) { accepted += 1 }
        if evidence.genuine.isEmpty { return }
        known += 1
        if !reaches(evidence.bestGenuine) { missed += 1 }
    }

    private mutating func addFailure(of evidence: QueryEvidence, _ query: GalleryRoster.Member) {
        guard let genuine = evidence.genuine.first, let ahead = evidence.ahead.first, ahead > 0,
            let found = evidence.impostor
        else { return }
        failures.append(
            KeptEvaluation.Failure(
                sighting: query.sighting, found: roster.members[found.place].sighting, score: found.score,
                genuine: roster.members[genuine.place].sighting, genuineScore: genuine.score, rank: ahead + 1))
        if failures.count >= 4 * KeptEvaluation.most { failures = worstFailures }
    }

    private var worstFailures: [KeptEvaluation.Failure] {
        let sorted = failures.sorted { ($1.margin, $0.sighting) < ($0.margin, $1.sighting) }
        return Array(sorted.prefix(KeptEvaluation.most))
    }

    private var worstIdentities: [KeptEvaluation.Identity] {
        let rows = Dictionary(roster.identities.map { ($1, $0) }) { first, _ in first }
        let means = precisions.compactMap { ordinal, found in
            rows[ordinal].map {
                KeptEvaluation.Identity(
                    row: $0, meanAveragePrecision: found.sum / Double(found.queries), queries: found.queries)
            }
        }
        let sorted = means.sorted { ($0.meanAveragePrecision, $0.row) < ($1.meanAveragePrecision, $1.row) }
        return Array(sorted.filter { $0.meanAveragePrecision < 1 }.prefix(KeptEvaluation.most))
    }

    private var errors: GalleryEvaluation.OpenSet? {
        if thresholds.isEmpty { return nil }
        return GalleryEvaluation.OpenSet(
            falsePositiveIdentificationRate: Double(accepted) / Double(max(newcomers, 1)),
            falseNegativeIdentificationRate: Double(missed) / Double(max(known, 1)))
    }

    func evaluation(model: String, seed: UInt64) -> KeptEvaluation {
        KeptEvaluation(
            evaluation: GalleryEvaluation(
                model: model, seed: seed, sightings: roster.members.count,
                identities: Set(roster.members.map(\.identity)).count, samples: newcomers, incomparable: incomparable,
                all: all.metrics, crossCamera: crossCamera.metrics, errors: errors,
                scores: scores.sorted { $0.key.joined(separator: ",") < $1.key.joined(separator: ",") }.map {
                    $1.scores($0, threshold: thresholds[$0])
                }),
            worst: worstIdentities, failures: worstFailures)
    }
}
