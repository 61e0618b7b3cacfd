import Foundation
import Threads
import Similarity

extension GalleryStore {
    /// The sightings or identities nearest to a query by cosine, exactly: as a float32 scan over all would find them.
    ///
    /// A sighting is compared by the modalities that it shares with the query; where there are none, sums by all of each, and
    /// blocks not at all. A lone vector of several modalities is compared with what has exactly these. Throws `.notFound` for
    /// the gallery, `.invalid`, `.dimensionMismatch`, and `.modelMismatch` if the gallery has vectors but none of the query's
    /// model. O(vectors · dimension).
    public func query(_ query: GalleryQuery, in gallery: String) async throws -> QueryResult {
        try await queries([query], in: gallery)[0].get()
    }

    /// The same for several at once, in their order: of one model they share each pass over its vectors, and all see the
    /// gallery at one moment. What is wrong with one is its result. Throws `.notFound` for the gallery.
    public func queries(_ queries: [GalleryQuery], in gallery: String) async throws -> [Result<QueryResult, any Error>]
    {
        let valid = queries.map { query in Result { try query.validate() }.map { query } }
        let scopes = try await transactions.scopes(
            valid.map { (try? $0.get())?.filter ?? QueryFilter() }, in: gallery)
        let asked = zip(valid, scopes).map { query, scope in Result { try prepare(query.get(), scope) } }
        var outcomes = try await search(asked.map { try? $0.get() })
        for (index, query) in queries.enumerated() where query.rerank != nil {
            guard let prepared = try? asked[index].get(), let outcome = outcomes[index] else { continue }
            outcomes[index] = try await reranked(outcome, prepared, query)
        }
        let found = Set(outcomes.values.flatMap { $0.hits.map(\.sighting) })
        let details = found.isEmpty ? [:] : try await transactions.matches(found)
        var results: [Result<QueryResult, any Error>] = []
        for index in asked.indices {
            let result = asked[index].map { _ in Self.result(outcomes[index] ?? .nothing, details) }
            guard queries[index].explains, var explained = try? result.get(), let query = try? asked[index].get() else {
                results.append(result)
                continue
            }
            for place in explained.matches.indices {
                explained.matches[place].byModality = try await scores(
                    query, against: explained.matches[place].sighting, in: gallery)
            }
            results.append(.success(explained))
        }
        return results
    }

    /// What each modality alone scores; nil for a sighting that was erased meanwhile.
    private func scores(_ prepared: Prepared, against sighting: String, in gallery: String) async throws -> [String:
        Float]?
    {
        guard let space = prepared.index?.space,
            let found = try? await transactions.embedding(of: sighting, in: gallery, model: prepared.model)
        else { return nil }
        let vectors = try found.resolved(in: space).indexed
        return prepared.query.vectors.reduce(into: [:]) { scores, query in
            guard let other = vectors.first(where: { $0.modalities == query.modalities }),
                !query.modalities.contains(",")
            else { return }
            scores[query.modalities] = ExactScore.cosine([query], [other], in: space)
        }
    }

    private static func result(_ outcome: VectorIndex.Outcome, _ details: [Int64: FoundSighting]) -> QueryResult {
        // What was erased since the search is left out.
        let matches = outcome.hits.compactMap { hit in details[hit.sighting]?.match(score: hit.score) }
        return QueryResult(
            matches: matches, unknown: matches.isEmpty,
            statistics: SearchStatistics(
                rows: outcome.rows, incomparable: outcome.incomparable, candidates: outcome.candidates))
    }

    /// A query on its way into an index; without one, the gallery has no vectors at all.
    struct Prepared: Sendable {
        let index: VectorIndex?
        let model: String
        var query: VectorIndex.Query
    }

    func prepare(_ query: GalleryQuery, _ scope: SearchScope) throws -> Prepared {
        let model = query.embedding.model
        let models = transactions.indexes.models(of: scope.gallery)
        guard models.isEmpty || models.contains(model) else {
            throw GalleryError.modelMismatch(requested: model, available: models)
        }
        let index = transactions.indexes.index(gallery: scope.gallery, model: model)
        let vectors = try index.map { index in
            // Nobody may have said yet what the model's vectors are; then there are only ones that cannot be taken apart.
            let space = index.space.modalities.isEmpty ? query.embedding.space ?? index.space : index.space
            return try query.embedding.resolved(in: space).indexed
        }
        return Prepared(
            index: index, model: model,
            query: VectorIndex.Query(
                vectors: vectors ?? [], filter: scope.filter, limit: max(query.rerank ?? 0, query.limit),
                threshold: query.threshold, grouping: query.rerank == nil ? query.grouping : .sighting))
    }

    /// The first sightings in another order, and then what the query asks for of them.
    private func reranked(
        _ outcome: VectorIndex.Outcome, _ prepared: Prepared, _ query: GalleryQuery
    ) async throws -> VectorIndex.Outcome {
        guard let space = prepared.index?.space, let rerank = query.rerank else { return outcome }
        let (candidates, source) = (
            Array(outcome.hits.prefix(rerank)), transactions.vectors(model: prepared.model)
        )
        let order = try await threads.run { () -> [VectorIndex.Hit] in
            let vectors = try source.vectors(of: candidates.map(\.sighting))
            // What was erased meanwhile is left out in the end.
            let known = candidates.filter { vectors[$0.sighting] != nil }
            var neighbourhood = Neighbourhood(
                [prepared.query.vectors] + known.compactMap { vectors[$0.sighting] }, in: space)
            guard let squared = neighbourhood?.squaredDistances() else { return candidates }
            let distances = KReciprocal().distances(squared)
            return known.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }.map { known[$0] }
        }
        let hits = VectorIndex.Hit.best(query.limit, of: order + outcome.hits.dropFirst(rerank), query.grouping)
        return VectorIndex.Outcome(
            hits: hits, rows: outcome.rows, candidates: outcome.candidates, incomparable: outcome.incomparable)
    }

    /// By the query's place; of what there is nothing to search for there is none.
    func search(_ prepared: [Prepared?]) async throws -> [Int: VectorIndex.Outcome] {
        let places = prepared.indices.filter { prepared[$0]?.index != nil }
        var outcomes: [Int: VectorIndex.Outcome] = [:]
        for (model, places) in Dictionary(grouping: places, by: { prepared[$0]?.model ?? "" }) {
            guard let index = places.first.flatMap({ prepared[$0]?.index }) else { continue }
            let (source, threads, slices) = (transactions.vectors(model: model), threads, slices)
            let found = try await stages.time(.search) {
                try await index.passes.run(places.compactMap { prepared[$0]?.query }) { queries in
                    try await index.search(queries, source: source, threads: threads, slices: slices)
                }
            }
            for (place, outcome) in zip(places, found) { outcomes[place] = outcome }
        }
        return outcomes
    }
}
