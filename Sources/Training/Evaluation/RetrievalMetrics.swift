import Inference

/// Retrieval metrics as the re-identification field computes them.
public struct RetrievalMetrics: Sendable, Equatable, Codable {
    /// Who and from where: what decides whether a gallery item is a hit, and whether it is ranked at all.
    public struct Item: Sendable, Equatable {
        /// The identity's name.
        public let identity: String
        /// The camera.
        public let camera: Int
        /// What was recorded together; nil where that does not matter.
        public let scene: String?
        /// What the image shows, if it is a single image; nil for a triple.
        public let modality: Modality?
        /// What tells images of a camera apart; nil where a query is never in the gallery.
        public let name: String?

        /// An item as given.
        public init(
            identity: String, camera: Int, scene: String? = nil, modality: Modality? = nil, name: String? = nil
        ) {
            self.identity = identity
            self.camera = camera
            self.scene = scene
            self.modality = modality
            self.name = name
        }
    }

    /// Mean average precision: AP is the mean, over the hits, of the precision at each hit (no trapezoid).
    public var mAP: Double
    /// Mean inverse negative penalty (Ye et al., 2021): hits over the rank of the last one.
    public var mINP: Double
    /// Cumulative match characteristic at 1, 5 and 10: the share of queries with a hit that high.
    public var rank1: Double
    /// See `rank1`.
    public var rank5: Double
    /// See `rank1`.
    public var rank10: Double
    /// Queries that count.
    public var queries: Int
    /// Queries without a hit in the gallery that may be ranked; they do not count.
    public var skipped: Int
}

extension RetrievalMetrics {
    /// Metrics of rankings, best match first; each is the whole gallery as ranked for a query. Items that the protocol
    /// leaves out are dropped here. O(queries · gallery).
    ///
    /// - Parameter isDeduplicated: whether the CMC counts identities rather than items before the first hit, each at its best
    ///   item: SYSU-MM01's and LLCM's. mAP and mINP are not affected.
    public init(
        rankings: some Sequence<(query: Item, ranked: [Item])>, protocol rule: RetrievalProtocol = .standard,
        isDeduplicated: Bool = false
    ) {
        self.init(
            rankings.map { query, ranked -> QueryOutcome? in
                let admissible = ranked.filter { rule.ranks($0, for: query) }
                let hits = admissible.indices.filter { admissible[$0].identity == query.identity }
                guard let first = hits.first else { return nil }
                let before = isDeduplicated ? Set(admissible[..<first].map(\.identity)).count : first
                return QueryOutcome(places: hits, firstRank: before + 1)
            })
    }
}
