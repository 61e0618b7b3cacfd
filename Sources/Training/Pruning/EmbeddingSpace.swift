import Inference
import Tensor

/// How far a pruned model's embeddings are from its parent's.
public struct EmbeddingSpace: Sendable, Codable, Equatable {
    /// What was encoded by both: `query`, or `held-out`.
    public let split: String
    /// How many sightings.
    public let sightings: Int
    /// Of the cosines between the parent's and the child's embedding of the same sighting.
    public let meanCosine: Double
    /// The least of them.
    public let minimumCosine: Double
    /// The share of sightings whose best match is of the same identity in the child's space as in the parent's.
    public let top1Agreement: Double
    /// The same if the child's queries are ranked against the gallery as the parent embeds it.
    public let crossTop1Agreement: Double

    private enum CodingKeys: String, CodingKey {
        case split, sightings
        case meanCosine = "mean_cosine"
        case minimumCosine = "minimum_cosine"
        case top1Agreement = "top1_agreement"
        case crossTop1Agreement = "cross_top1_agreement"
    }

    init(parent: RankingSet.Embedded, child: RankingSet.Embedded, of set: RankingSet) {
        split = set.split
        sightings = set.queries.sightings.count
        let products = (parent.queries.normalizedRows() * child.queries.normalizedRows()).sum(axis: 1).scalars
        let cosines = products.map(Double.init)
        meanCosine = cosines.reduce(0, +) / Double(max(cosines.count, 1))
        minimumCosine = cosines.min() ?? 0
        let own = set.bestMatches(queries: parent.queries, gallery: parent.gallery)
        let agreement = { (others: [String?]) in
            let equal = zip(own, others).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
            return Double(equal) / Double(max(own.count, 1))
        }
        top1Agreement = agreement(set.bestMatches(queries: child.queries, gallery: child.gallery))
        crossTop1Agreement = agreement(set.bestMatches(queries: child.queries, gallery: parent.gallery))
    }
}
