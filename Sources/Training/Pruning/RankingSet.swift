import Inference
import Tensor

/// What models are compared on: the query and gallery splits, or the held-out identities, every sighting against all
/// others.
package struct RankingSet: Sendable {
    /// A set as one model embeds it, [N, D] each, before L2 normalisation.
    package struct Embedded: Sendable {
        let queries: Tensor
        let gallery: Tensor

        package init(queries: Tensor, gallery: Tensor) { (self.queries, self.gallery) = (queries, gallery) }
    }

    /// `query`, or `held-out`.
    let split: String
    let queries: SightingImages
    let gallery: SightingImages
    private let rule: RetrievalProtocol

    /// Sightings as given.
    package init(split: String, queries: SightingImages, gallery: SightingImages, rule: RetrievalProtocol) {
        (self.split, self.queries, self.gallery, self.rule) = (split, queries, gallery, rule)
    }

    /// Throws `PruningError.nothingToRank` if there are neither splits nor held-out identities, `DatasetError` if a split
    /// cannot be read.
    init(
        _ dataset: TriplesDataset, held: SightingImages, _ preprocessing: Preprocessing, modalities: [Modality]
    ) throws {
        rule = dataset.layout.rule
        if try dataset.has(.query), try dataset.has(.gallery) {
            split = "query"
            queries = SightingImages(try dataset.sightings(.query), preprocessing, modalities: modalities)
            gallery = SightingImages(try dataset.sightings(.gallery), preprocessing, modalities: modalities)
        } else {
            guard !held.sightings.isEmpty else { throw PruningError.nothingToRank(dataset.root.path) }
            (split, queries, gallery) = ("held-out", held, held)
        }
    }

    /// Encodes the set. Blocks, and throws as `DatasetEvaluation.embeddings` does.
    func embedded(by encoder: MultimodalEncoder) throws -> Embedded {
        let evaluation = DatasetEvaluation(encoder)
        let embedded = try evaluation.embeddings(queries, modalities: encoder.modalities)
        if queries === gallery { return Embedded(queries: embedded, gallery: embedded) }
        return Embedded(
            queries: embedded, gallery: try evaluation.embeddings(gallery, modalities: encoder.modalities))
    }

    func metrics(_ embedded: Embedded) -> RetrievalMetrics {
        DatasetEvaluation.metrics(
            Ranking.orders(queries: embedded.queries, gallery: embedded.gallery), queries: queries.sightings,
            gallery: gallery.sightings, protocol: rule)
    }

    /// What a query has found.
    struct Finding {
        /// Whose the query is.
        let identity: String
        /// The identity ranked first.
        let first: String?
        /// Average precision; nil for a query that does not count.
        let precision: Double?
    }

    /// What each query finds, by the protocol of the metrics. O(queries · gallery).
    func findings(queries embedded: Tensor, gallery others: Tensor) -> [Finding] {
        let items = gallery.sightings.map(RetrievalMetrics.Item.init)
        return zip(queries.sightings, Ranking.orders(queries: embedded, gallery: others)).map { query, order in
            let (item, ranked) = (RetrievalMetrics.Item(query), order.map { items[$0] })
            let metrics = RetrievalMetrics(rankings: [(query: item, ranked: ranked)], protocol: rule)
            return Finding(
                identity: query.identity, first: ranked.first { rule.ranks($0, for: item) }?.identity,
                precision: metrics.queries > 0 ? metrics.mAP : nil)
        }
    }
}
