import Foundation

extension GalleryStore {
    /// How often a decision is made anew because what it was made from has gone.
    private static let mostTries = 8

    /// The gallery's thresholds, by model and modalities. Throws `.notFound`.
    public func thresholds(in gallery: String) async throws -> [MatchThreshold] {
        try await transactions.thresholds(in: gallery)
    }

    /// Puts thresholds in place of those of a model. Throws `.notFound` or `.invalid`.
    public func setThresholds(_ thresholds: [MatchThreshold], model: String, in gallery: String) async throws {
        try Validation.text(model, "model", limit: 128)
        try Validation.require(thresholds.count <= 255, "thresholds", "at most 255", "\(thresholds.count)")
        for threshold in thresholds { try threshold.validate() }
        try Validation.distinct(thresholds.map { $0.modalities.joined(separator: "+") }, "thresholds")
        try await transactions.setThresholds(thresholds, model: model, in: gallery)
    }

    /// Decides whose a passage is, and enrols it: under the identity that is furthest above its threshold, or under a new one. Both
    /// in one step, so that of two passages of one newcomer at the same time one makes the identity and the other joins it.
    ///
    /// Throws as `enrol` and `query` do, and `.noThreshold` if no set of modalities that it can be compared by has a threshold that
    /// is not stale.
    public func identify(_ passage: Passage, in gallery: String) async throws -> Identification {
        try passage.validate()
        let court = Court(passage, try await thresholds(for: passage, in: gallery))
        for _ in 0..<Self.mostTries {
            let evidence = try await evidence(on: passage, court, in: gallery)
            if !passage.isStored {
                let owners = try await transactions.matches(Set(evidence.rivals.map(\.sighting)))
                let verdict = court.verdict(evidence, owners.mapValues(\.sighting.identity), recent: [])
                if verdict.decision == .searchAgain, try await transactions.follow() { continue }
                return try await identification(verdict, .left)
            }
            let transaction = IdentifyingTransaction(
                enrolments: passage.sightings, model: passage.embedding.model, filter: passage.filter,
                evidence: evidence, court: court)
            let (outcome, verdict) = try await stages.time(.commit) {
                try await transactions.identify(transaction, in: gallery)
            }
            if verdict?.decision == .searchAgain { continue }
            return try await identification(verdict, outcome)
        }
        throw GalleryError.busy
    }

    /// By the modalities that are compared.
    private func thresholds(for passage: Passage, in gallery: String) async throws -> [[String]: Float] {
        let sets = passage.embedding.comparable
        if let threshold = passage.threshold {
            return Dictionary(uniqueKeysWithValues: sets.map { ($0, threshold) })
        }
        let known = try await transactions.thresholds(in: gallery).filter {
            $0.model == passage.embedding.model && sets.contains($0.modalities)
        }
        let usable = known.filter { !$0.isStale }
        guard !usable.isEmpty else {
            throw GalleryError.noThreshold(model: passage.embedding.model, sets: sets, areStale: !known.isEmpty)
        }
        return Dictionary(uniqueKeysWithValues: usable.map { ($0.modalities, $0.threshold) })
    }

    /// The best of what is enrolled for each set of modalities that has a threshold, all in one pass.
    private func evidence(on passage: Passage, _ court: Court, in gallery: String) async throws -> Evidence {
        let scope = try await transactions.scopes([passage.filter], in: gallery)[0]
        let query = GalleryQuery(embedding: passage.embedding, limit: passage.limit + 1, filter: passage.filter)
        let prepared = try prepare(query, scope)
        guard let index = prepared.index else { return Evidence() }
        let sets = court.thresholds.keys.sorted { $0.joined() < $1.joined() }
        let outcomes = try await search(
            sets.map { set in
                var prepared = prepared
                prepared.query.compared = set
                return prepared
            })
        let rivals = sets.indices.flatMap { place in
            (outcomes[place]?.hits ?? []).map { hit in
                Rival(
                    sighting: hit.sighting, score: hit.score, modalities: sets[place],
                    threshold: court.thresholds[sets[place]] ?? 1)
            }
        }
        return Evidence(
            rivals: rivals, last: outcomes.values.map(\.last).min() ?? 0, query: prepared.query.vectors,
            space: index.space)
    }

    private func identification(
        _ verdict: Verdict?, _ outcome: IdentifyingTransaction.Outcome
    ) async throws -> Identification {
        let rivals = verdict?.rivals ?? []
        let found = rivals.isEmpty ? [:] : try await transactions.matches(Set(rivals.map(\.sighting)))
        let contenders = rivals.compactMap { rival in
            found[rival.sighting].map {
                Contender(
                    match: $0.match(score: rival.score), modalities: rival.modalities, threshold: rival.threshold)
            }
        }
        var (identity, isMatched, isNew) = (nil as String?, false, false)
        switch verdict?.decision {
        case .join(let name): (identity, isMatched) = (name, true)
        case .make: isNew = !outcome.sightings.isEmpty
        case .leave, .searchAgain, nil: break
        }
        return Identification(
            identity: outcome.sightings.first?.identity ?? identity, isMatched: isMatched,
            isAmbiguous: verdict?.isAmbiguous ?? false, isNew: isNew, contenders: contenders,
            sightings: outcome.sightings, isReplay: outcome.isReplay)
    }
}
