extension GalleryStore {
    /// The sightings or identities of several galleries nearest to a query, each of which says where it is: what `query` finds in each,
    /// ranked together, equal scores in order of enrolment. An identity is one gallery's, whatever others of its name there are.
    ///
    /// Each gallery is seen at a moment of its own. Throws as `query` does for each of them, and `.invalid` for others than 1–16, or
    /// one that is named twice. O(vectors of all).
    public func query(_ query: GalleryQuery, over galleries: [String]) async throws -> QueryResult {
        try query.validate()
        try Validation.require(
            (1...16).contains(galleries.count), "galleries", "1 to 16 names", "\(galleries.count)")
        try Validation.distinct(galleries, "galleries")
        var prepared: [Prepared] = []
        for gallery in galleries {
            prepared.append(try prepare(query, try await transactions.scopes([query.filter], in: gallery)[0]))
        }
        let outcomes = try await search(prepared)
        var outcome = Self.merged(outcomes, limit: prepared[0].query.limit)
        // All are of one model; what has no vectors knows no space.
        let asked = prepared.first { $0.index != nil } ?? prepared[0]
        if query.rerank != nil { outcome = try await reranked(outcome, asked, query) }
        let found = try await details([outcome])
        var result = Self.result(outcome, found)
        let places = Dictionary(
            uniqueKeysWithValues: outcome.hits.compactMap { hit in
                found[hit.sighting].map { ($0.sighting.id, galleries[Int(hit.gallery)]) }
            })
        for index in result.matches.indices {
            result.matches[index].gallery = places[result.matches[index].sighting]
        }
        try await explain(&result, asked, query) { $0.gallery ?? "" }
        return result
    }

    /// The best of all, by the gallery's place.
    private static func merged(_ outcomes: [Int: VectorIndex.Outcome], limit: Int) -> VectorIndex.Outcome {
        let hits = outcomes.flatMap { place, outcome in
            outcome.hits.map { hit in
                var hit = hit
                hit.gallery = Int32(place)
                return hit
            }
        }
        let all = outcomes.values
        var merged = VectorIndex.Outcome(
            hits: Array(hits.sorted(by: VectorIndex.Hit.precedes).prefix(limit)),
            rows: all.reduce(0) { $0 + $1.rows }, candidates: all.reduce(0) { $0 + $1.candidates },
            incomparable: all.reduce(0) { $0 + $1.incomparable })
        merged.isExact = all.allSatisfy(\.isExact)
        return merged
    }
}
