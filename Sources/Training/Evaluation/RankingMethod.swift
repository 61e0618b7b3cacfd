import Similarity

/// How a gallery is ranked by vectors.
public struct RankingMethod: Sendable {
    /// Of embeddings that were normalised, or of raw ones.
    public var distance = Ranking.Distance.cosine
    /// Re-ranking by what neighbours have in common, over cosines; nil for none.
    public var reranking: KReciprocal?

    /// By the cosine, without re-ranking.
    public init(distance: Ranking.Distance = .cosine, reranking: KReciprocal? = nil) {
        (self.distance, self.reranking) = (distance, reranking)
    }

    /// How far the queries are from the gallery.
    func distances(_ queries: EncodedItems, _ gallery: EncodedItems) -> any DistanceSource {
        reranking.map { RerankedDistances($0, queries, gallery) } ?? VectorComparison(queries, gallery, distance)
    }
}
