import Foundation
import Similarity
import Threads

extension GalleryStore {
    /// The sightings or identities nearest to a query by cosine, exactly: as a float32 scan over all would find them.
    ///
    /// A sighting is compared by the modalities that it shares with the query; where there are none, sums by all of each, and
    /// blocks not at all. A lone vector of several modalities is compared with what has exactly these. Throws `.notFound` for
    /// the gallery, `.invalid`, `.dimensionMismatch`, and `.modelMismatch` if the gallery has vectors but none of the query's
    /// model. O(vectors · dimension) for four exemplars; O(sightings) memory for scores of several sightings.
    public func query(_ query: GalleryQuery, in gallery: String) async throws -> QueryResult {
        try await queries([query], in: gallery)[0].get()
    }

    /// The same for several at once, in their order: of one model they share each pass over its vectors, and all see the
    /// gallery at one moment. What is wrong with one is its result. Throws `.notFound` for the gallery.
    public func queries(_ queries: [GalleryQuery], in gallery: String) async throws -> [Result<QueryResult, any Error>]
    {
        let (results, isWhole) = try await answer(queries, in: gallery)
        // What another server has erased, and was still in this one's index, has taken the place of something else.
        if !isWhole, try await transactions.follow() { return try await answer(queries, in: gallery).results }
        return results
    }

    /// And whether all that was found is still there.
    private func answer(
        _ queries: [GalleryQuery], in gallery: String
    ) async throws -> (results: [Result<QueryResult, any Error>], isWhole: Bool) {
        let valid = queries.map { query in Result { try query.validate() }.map { query } }
        let scopes = try await transactions.scopes(
            valid.map { (try? $0.get())?.filter ?? QueryFilter() }, in: gallery)
        let asked = zip(valid, scopes).map { query, scope in Result { try prepare(query.get(), scope) } }
        var outcomes = try await search(asked.map { try? $0.get() })
        for (index, query) in queries.enumerated() where query.rerank != nil {
            guard let prepared = try? asked[index].get(), let outcome = outcomes[index] else { continue }
            outcomes[index] = try await reranked(outcome, prepared, query)
        }
        let found = try await details(outcomes.values)
        var results: [Result<QueryResult, any Error>] = []
        for index in asked.indices {
            guard let prepared = try? asked[index].get() else {
                results.append(asked[index].map { _ in Self.result(.nothing, found) })
                continue
            }
            var result = Self.result(outcomes[index] ?? .nothing, found)
            try await explain(&result, prepared, queries[index]) { _ in gallery }
            results.append(.success(result))
        }
        return (results, outcomes.values.allSatisfy { $0.hits.allSatisfy { found[$0.sighting] != nil } })
    }

    /// What is known of the sightings that answer.
    func details(_ outcomes: some Sequence<VectorIndex.Outcome>) async throws -> [Int64: FoundSighting] {
        let found = Set(outcomes.flatMap { $0.hits.map(\.sighting) })
        return found.isEmpty ? [:] : try await transactions.matches(found)
    }

    static func result(_ outcome: VectorIndex.Outcome, _ details: [Int64: FoundSighting]) -> QueryResult {
        // What was erased since the search is left out.
        let matches = outcome.hits.compactMap { hit in
            details[hit.sighting].map { found in
                var match = found.match(score: hit.score)
                match.counted = hit.counted
                return match
            }
        }
        return QueryResult(
            matches: matches, unknown: matches.isEmpty,
            statistics: SearchStatistics(
                rows: outcome.rows, incomparable: outcome.incomparable, candidates: outcome.candidates,
                isApproximate: !outcome.isExact))
    }

    /// A query on its way into an index; without one, the gallery has no vectors at all.
    struct Prepared: Sendable {
        let index: (any SightingSearch)?
        let model: String
        var query: VectorIndex.Query
    }

    func prepare(_ query: GalleryQuery, _ scope: SearchScope) throws -> Prepared {
        let model = query.embedding.model
        let models = scope.searches.filter { !$0.value.isEmpty }.keys.sorted()
        guard models.isEmpty || models.contains(model) else {
            throw GalleryError.modelMismatch(requested: model, available: models)
        }
        let index = scope.searches[model]
        let exemplars = try query.exemplars.map { exemplar -> [IndexVector] in
            guard let index else { return [] }
            // Nobody may have said yet what the model's vectors are; then there are only ones that cannot be taken apart.
            let space = index.space.modalities.isEmpty ? exemplar.space ?? index.space : index.space
            return try exemplar.resolved(in: space).indexed
        }
        var asked = VectorIndex.Query(
            vectors: exemplars[0], filter: scope.filter, limit: max(query.rerank ?? 0, query.limit),
            threshold: query.threshold, grouping: query.rerank == nil ? query.grouping : .sighting)
        (asked.further, asked.combination) = (Array(exemplars.dropFirst()), query.combination)
        (asked.score, asked.conditions) = (query.score, scope.asked)
        return Prepared(index: index, model: model, query: asked)
    }

    /// By the query's place; of what there is nothing to search for there is none.
    func search(_ prepared: [Prepared?]) async throws -> [Int: VectorIndex.Outcome] {
        let places = prepared.indices.filter { prepared[$0]?.index != nil }
        var outcomes: [Int: VectorIndex.Outcome] = [:]
        for places in Dictionary(grouping: places, by: { prepared[$0]?.index.map(ObjectIdentifier.init) }).values {
            guard let first = places.first.flatMap({ prepared[$0] }), let index = first.index else { continue }
            let means = SearchMeans(source: transactions.vectors(model: first.model), threads: threads, slices: slices)
            let queries = places.compactMap { prepared[$0]?.query }
            let found = try await stages.time(.search) { try await index.outcomes(of: queries, means) }
            for (place, outcome) in zip(places, found) { outcomes[place] = outcome }
        }
        return outcomes
    }
}
