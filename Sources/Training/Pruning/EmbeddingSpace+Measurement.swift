import Inference

extension EmbeddingSpace {
    /// Compares a set as a child embeds it with the same set as its parent does.
    init(_ digest: String, parent: RankingSet.Embedded, child: RankingSet.Embedded, of set: RankingSet) {
        let pairs = zip(Embedding.normalised(parent.queries), Embedding.normalised(child.queries))
        let cosines = pairs.map { Double(zip($0, $1).reduce(0) { $0 + $1.0 * $1.1 }) }
        self.init(parent: digest, meanCosine: cosines.reduce(0, +) / Double(max(cosines.count, 1)))
        minimumCosine = cosines.min() ?? 0
        split = set.split
        sightings = set.queries.sightings.count
        let own = set.bestMatches(queries: parent.queries, gallery: parent.gallery)
        let agreement = { (others: [String?]) in
            let equal = zip(own, others).reduce(0) { $0 + ($1.0 == $1.1 ? 1 : 0) }
            return Double(equal) / Double(max(own.count, 1))
        }
        top1Agreement = agreement(set.bestMatches(queries: child.queries, gallery: child.gallery))
        crossTop1Agreement = agreement(set.bestMatches(queries: child.queries, gallery: parent.gallery))
    }
}
