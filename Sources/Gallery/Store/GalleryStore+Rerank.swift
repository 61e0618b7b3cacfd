import Similarity
import Threads

extension GalleryStore {
    /// The first sightings in another order, and then what the query asks for of them; of one gallery or of several, whose vectors
    /// are of one model.
    func reranked(
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
            guard var squared = neighbourhood?.squaredDistances() else { return candidates }
            if !prepared.query.further.isEmpty {
                // From the exemplars together it is as far as its score says.
                for (place, hit) in known.enumerated() {
                    let distance = max(2 - 2 * Double(hit.score), 0)
                    (squared[0][place + 1], squared[place + 1][0]) = (distance, distance)
                }
            }
            let distances = KReciprocal().distances(squared)
            return known.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }.map { known[$0] }
        }
        let hits = VectorIndex.Hit.best(query.limit, of: order + outcome.hits.dropFirst(rerank), query.grouping)
        var reranked = VectorIndex.Outcome(
            hits: hits, rows: outcome.rows, candidates: outcome.candidates, incomparable: outcome.incomparable)
        reranked.isExact = outcome.isExact
        return reranked
    }
}

extension GalleryStore {
    /// Tells of each match what its score is made of, if that is asked for; nothing of a sighting that was erased meanwhile.
    ///
    /// - Parameter gallery: in which one a match is.
    func explain(
        _ result: inout QueryResult, _ prepared: Prepared, _ query: GalleryQuery, gallery: (Match) -> String
    ) async throws {
        guard query.explains || query.explainsExemplars, let space = prepared.index?.space else { return }
        for place in result.matches.indices {
            let match = result.matches[place]
            guard
                let found = try? await transactions.embedding(
                    of: match.sighting, in: gallery(match), model: prepared.model)
            else { continue }
            let vectors = try found.resolved(in: space).indexed
            if query.explainsExemplars {
                result.matches[place].byExemplar = prepared.query.exemplars.map {
                    ExactScore.cosine($0, vectors, in: space)
                }
            }
            if query.explains { result.matches[place].byModality = Self.scores(prepared.query, vectors, space) }
        }
    }

    /// What each modality alone scores, over the exemplars that have it.
    private static func scores(
        _ query: VectorIndex.Query, _ vectors: [IndexVector], _ space: VectorSpace
    ) -> [String: Float] {
        var scores: [String: [Float]] = [:]
        for vector in query.exemplars.joined() where !vector.modalities.contains(",") {
            guard let other = vectors.first(where: { $0.modalities == vector.modalities }) else { continue }
            if let score = ExactScore.cosine([vector], [other], in: space) {
                scores[vector.modalities, default: []].append(score)
            }
        }
        return scores.mapValues(query.combination.combined)
    }
}
