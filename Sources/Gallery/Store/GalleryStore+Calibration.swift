extension GalleryStore {
    /// Sightings of an identity that are looked for, the last ones.
    private static let exemplars = 4

    /// Proposes a threshold for each set of modalities, from what is enrolled: so that no more than a share of newcomers would be
    /// matched. A sighting's newcomer is itself, looked for among all identities but its own.
    ///
    /// Throws `.notFound`, `.invalid`, or `.tooFew` where no set has enough sightings to tell. O(samples · vectors), many to a pass.
    ///
    /// - Parameters:
    ///   - rate: the share, one of `Calibration.rates`.
    ///   - count: about how many sightings are looked for, of identities spread evenly.
    ///   - progress: told how many identities have been done, of how many.
    public func calibrate(
        in gallery: String, model: String, falseMatchRate rate: Double, samples count: Int = 2000,
        progress: (_ done: Int, _ total: Int) async throws -> Void = { _, _ in }
    ) async throws -> [Calibration] {
        let rates = Calibration.rates
        try Validation.require(
            rates.contains(rate), "false_match_rate", "\(rates.lowerBound) to \(rates.upperBound)", "\(rate)")
        try Validation.require((1...100_000).contains(count), "samples", "1 to 100000", "\(count)")
        let total = try await self.gallery(gallery).identities
        let step = max(1, total * Self.exemplars / count)
        var (samples, cursor, done) = ([[String]: [Calibration.Sample]](), nil as String?, 0)
        repeat {
            let page = try await identities(in: gallery, PageRequest(limit: 200, after: cursor))
            for (place, identity) in page.items.enumerated() where (done + place) % step == 0 {
                for (set, sample) in try await self.samples(of: identity.id, in: gallery, model) {
                    samples[set, default: []].append(sample)
                }
            }
            done += page.items.count
            try await progress(done, max(total, done))
            cursor = page.next
        } while cursor != nil
        let found = samples.sorted { $0.key.joined() < $1.key.joined() }.compactMap { set, samples in
            Calibration(samples, set, falseMatchRate: rate)
        }
        guard !found.isEmpty else {
            throw GalleryError.tooFew(
                expected: Int((1 / rate).rounded(.up)), found: samples.values.map(\.count).max() ?? 0)
        }
        return found
    }

    /// What each of the last sightings of an identity shows, for each set of its modalities: had it these alone.
    private func samples(
        of identity: String, in gallery: String, _ model: String
    ) async throws -> [([String], Calibration.Sample)] {
        let exemplars: [(sighting: String, embedding: SightingEmbedding)]
        do {
            exemplars = try await transactions.exemplars(
                of: identity, in: gallery, model: model, limit: Self.exemplars)
        } catch GalleryError.notFound(.identity, _) {
            return []  // Erased meanwhile.
        }
        var (others, own) = (QueryFilter(), QueryFilter())
        (others.excludeIdentities, own.identities) = ([identity], [identity])
        let scopes = try await transactions.scopes([others, own], in: gallery)
        var (asked, sets) = ([Prepared?](), [[String]]())
        for exemplar in exemplars {
            for set in exemplar.embedding.comparable {
                sets.append(set)
                for (filter, scope) in zip([others, own], scopes) {
                    let query = GalleryQuery(
                        embedding: exemplar.embedding.restricted(to: set), limit: 2, grouping: .sighting,
                        filter: filter)
                    var prepared = try prepare(query, scope)
                    prepared.query.compared = set
                    asked.append(prepared)
                }
            }
        }
        let outcomes = try await search(asked)
        return sets.indices.compactMap { index in
            guard let impostor = outcomes[2 * index]?.hits.first else { return nil }
            // The first of its own is itself.
            let genuine = outcomes[2 * index + 1]?.hits.dropFirst().first
            return (
                sets[index],
                Calibration.Sample(identity: identity, impostor: impostor.score, genuine: genuine?.score)
            )
        }
    }
}
