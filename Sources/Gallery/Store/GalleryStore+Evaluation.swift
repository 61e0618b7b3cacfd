import Foundation

extension GalleryStore {
    /// Scores within identities that are kept in one pass, about: with what is counted between them 64 MiB.
    private static let mostMarks = 1 << 20

    /// Looks for each of some sightings among all others of their gallery, and keeps what came out as the model's latest.
    ///
    /// Every pair is scored, as a search scores it, since the rank of each sighting of an identity is asked for. Sightings that
    /// come or go meanwhile do not count. Throws `.notFound`, `.invalid`, or `.tooFew` for a gallery without two sightings that
    /// the model has embedded. O(samples · vectors · dimension); memory does not depend on the number of sightings but for some
    /// forty bytes each.
    ///
    /// - Parameters:
    ///   - count: how many sightings are looked for, 1 to 100 000, each as likely as any other.
    ///   - seed: what they are drawn by.
    ///   - progress: told how many have been looked for, of how many.
    public func evaluate(
        in gallery: String, model: String, samples count: Int = 2000, seed: UInt64 = 1,
        progress: (_ done: Int, _ total: Int) async throws -> Void = { _, _ in }
    ) async throws -> GalleryEvaluation {
        try Validation.require((1...100_000).contains(count), "samples", "1 to 100000", "\(count)")
        let (scope, pass) = try await scorePass(in: gallery, model: model)
        let thresholds = try await transactions.thresholds(in: gallery).filter { $0.model == model && !$0.isStale }
        let (queries, relatives) = try await threads.run { [roster = pass.roster] in
            (roster.sample(count, seed: seed), roster.relatives())
        }
        var tally = EvaluationTally(
            pass.roster,
            thresholds: Dictionary(thresholds.map { ($0.modalities.sorted(), $0.threshold) }) { first, _ in first })
        var done = 0
        try await progress(0, queries.count)
        while done < queries.count {
            let block = Self.block(of: queries[done...], pass.roster, relatives)
            let found = try await pass.evidence(on: block, relatives: relatives) { share in
                try await progress(done + Int(share * Double(block.count)), queries.count)
            }
            tally = try await threads.run { [tally] in
                var tally = tally
                tally.add(found.evidence, incomparable: found.incomparable)
                return tally
            }
            done += block.count
        }
        let kept = try await threads.run { [tally] in tally.evaluation(model: model, seed: seed) }
        try await transactions.save(kept, gallery: scope.gallery)
        return kept.evaluation
    }

    /// As many as may be looked for in one pass: those of large identities are fewer, as all scores within these are kept.
    private static func block(
        of queries: ArraySlice<Int>, _ roster: GalleryRoster, _ relatives: [Int32: [Int]]
    ) -> [Int] {
        var marks = 0
        let block = queries.prefix(ScorePass.mostQueries).prefix { place in
            marks += relatives[roster.members[place].identity]?.count ?? 0
            return marks <= mostMarks
        }
        return Array(block.isEmpty ? queries.prefix(1) : block)
    }

    /// What it takes to compare all pairs of a gallery's sightings as they are now. Throws `.notFound` or `.tooFew`.
    func scorePass(in gallery: String, model: String) async throws -> (scope: SearchScope, pass: ScorePass) {
        let scope = try await transactions.scopes([QueryFilter()], in: gallery)[0]
        let search = scope.searches[model]
        let index = search as? VectorIndex
        guard search == nil || index != nil else {
            throw GalleryError.unsupported(
                "evaluations and maps compare all sightings in memory: use gallery.index: memory, or a copy of the gallery"
            )
        }
        let roster = try await threads.run { index?.roster() }
        guard let roster, roster.members.count > 1 else {
            throw GalleryError.tooFew(expected: 2, found: roster?.members.count ?? 0)
        }
        let source = transactions.vectors(model: model)
        return (scope, ScorePass(roster: roster, source: source, threads: threads))
    }

    /// The latest evaluation of a gallery, of one model or of whichever was last, with today's names. What was erased since, and what
    /// was found to be one identity, is left out. Throws `.notFound`.
    public func latestEvaluation(in gallery: String, model: String? = nil) async throws -> EvaluationReport {
        let (kept, createdAt) = try await transactions.latestEvaluation(in: gallery, model: model)
        let identities = try await transactions.identities(rows: kept.worst.map(\.row))
        let sightings = try await transactions.matches(
            Set(kept.failures.flatMap { [$0.sighting, $0.found, $0.genuine] }))
        let worst = kept.worst.compactMap { poor in
            identities[poor.row].map {
                PoorIdentity(
                    identity: $0.id, label: $0.label, meanAveragePrecision: poor.meanAveragePrecision,
                    queries: poor.queries, sightings: $0.sightings)
            }
        }
        return EvaluationReport(
            evaluation: kept.evaluation, createdAt: createdAt, worst: worst,
            failures: kept.failures.compactMap { $0.named(sightings) })
    }
}

extension KeptEvaluation.Failure {
    /// nil if one of the two is no more, or if they are known to be one by now.
    fileprivate func named(_ sightings: [Int64: FoundSighting]) -> FailedQuery? {
        guard let query = sightings[sighting]?.sighting, let other = sightings[found],
            query.identity != other.sighting.identity
        else { return nil }
        let own = sightings[genuine].flatMap { $0.sighting.identity == query.identity ? $0 : nil }
        return FailedQuery(
            sighting: query.id, identity: query.identity, found: other.match(score: score),
            genuine: own?.match(score: genuineScore), rank: rank)
    }
}
