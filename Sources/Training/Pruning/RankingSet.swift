import Inference
import Tensor

/// What models are compared on: the query and gallery splits, or the held-out identities, every sighting against all
/// others.
struct RankingSet: Sendable {
    /// A set as one model embeds it, [N, D] each, before L2 normalisation.
    struct Embedded: Sendable {
        let queries: Tensor
        let gallery: Tensor
    }

    /// `query`, or `held-out`.
    let split: String
    let queries: SightingImages
    let gallery: SightingImages
    private let rule: RetrievalProtocol

    /// Throws `PruningError.nothingToRank` if there are neither splits nor held-out identities, `DatasetError` if a split
    /// cannot be read.
    init(_ dataset: TriplesDataset, held: SightingImages, _ preprocessing: Preprocessing) throws {
        rule = dataset.layout.rule
        if try dataset.has(.query), try dataset.has(.gallery) {
            split = "query"
            queries = SightingImages(try dataset.sightings(.query), preprocessing)
            gallery = SightingImages(try dataset.sightings(.gallery), preprocessing)
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

    /// The identity ranked first for each query, by the protocol of the metrics.
    func bestMatches(queries embedded: Tensor, gallery others: Tensor) -> [String?] {
        zip(queries.sightings, Ranking.orders(queries: embedded, gallery: others)).map { query, order in
            let item = RetrievalMetrics.Item(query)
            return order.lazy.map { gallery.sightings[$0] }
                .first { rule.ranks(RetrievalMetrics.Item($0), for: item) }?.identity
        }
    }
}
