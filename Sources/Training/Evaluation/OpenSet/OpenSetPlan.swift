import Randomness

/// How open-set identification is measured: who is missing from the gallery, and at which rates.
public struct OpenSetPlan: Sendable {
    /// The share of the identities with a mate whose items are taken out of the gallery, 0 to 1. Queries of these, and those that have
    /// nothing to be found anyway, are searches without a mate.
    public var removed: Double
    /// False-positive identification rates to hold, each from 0 and below 1.
    public var rates: [Double]
    /// Of who is taken out, and of the resampling.
    public var seed: UInt64
    /// Of the bootstrap.
    public var resamples = 1000

    /// As given.
    public init(removed: Double = 0.5, rates: [Double] = [0.01, 0.1], seed: UInt64 = 1) {
        (self.removed, self.rates, self.seed) = (removed, rates, seed)
    }

    /// Who is taken out of a gallery: identities of queries that have something to be found there, drawn without replacement.
    fileprivate func removedIdentities(
        _ queries: [RetrievalMetrics.Item], _ gallery: RankedGallery
    ) -> Set<String> {
        let items = Dictionary(grouping: gallery.items, by: \.identity)
        let mated = queries.filter { query in
            (items[query.identity] ?? []).contains { gallery.rule.ranks($0, for: query) }
        }
        let identities = Set(mated.map(\.identity)).sorted()
        var generator = SplitMix64(seed: seed, stream: 0)
        return Set(generator.shuffled(identities).prefix(Int((removed * Double(identities.count)).rounded())))
    }
}

/// What one query has shown in a gallery that may lack its identity.
public struct OpenSetSearch: Sendable, Equatable {
    /// Whose it is.
    public let identity: String
    /// The best score with an item of its identity; nil without a mate.
    public let mate: Float?
    /// The best score with another identity; nil if there is none.
    public let other: Float?
    /// Whether the mate comes before every other.
    public let isMateFirst: Bool

    /// As given.
    public init(identity: String, mate: Float?, other: Float?, isMateFirst: Bool) {
        (self.identity, self.mate, self.other, self.isMateFirst) = (identity, mate, other, isMateFirst)
    }
}

/// Gathers the best scores of queries.
struct OpenSetTally {
    private let queries: [RetrievalMetrics.Item]
    private let gallery: RankedGallery
    /// Who was taken out of the gallery.
    let removed: Set<String>
    /// By query.
    private(set) var searches: [OpenSetSearch?]

    init(_ plan: OpenSetPlan, _ queries: [RetrievalMetrics.Item], _ gallery: RankedGallery) {
        (self.queries, self.gallery) = (queries, gallery)
        removed = plan.removedIdentities(queries, gallery)
        searches = [OpenSetSearch?](repeating: nil, count: queries.count)
    }

    /// Identities of the items that are left.
    var identities: [String] { gallery.items.map(\.identity).filter { !removed.contains($0) } }

    /// - Parameter distances: by the cosine.
    mutating func add(_ query: Int, _ distances: [Double]) {
        let item = queries[query]
        let (own, other) = gallery.nearest(to: item, distances) { !removed.contains($0.identity) }
        let score = { (place: Int) in Float(-distances[place] / 2) }
        let isMateFirst = own.map { own in other.map { (distances[own], own) < (distances[$0], $0) } ?? true }
        searches[query] = OpenSetSearch(
            identity: item.identity, mate: own.map(score), other: other.map(score), isMateFirst: isMateFirst ?? false)
    }
}
