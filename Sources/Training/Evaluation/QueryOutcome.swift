/// How one query went.
public struct QueryOutcome: Sendable, Equatable {
    /// AP: the mean, over the hits, of the precision at each (no trapezoid).
    public let averagePrecision: Double
    /// INP (Ye et al., 2021): hits over the rank of the last one.
    public let inverseNegativePenalty: Double
    /// What could be found.
    public let hits: Int
    /// The rank of the first hit, from 1: among items, or among identities where the CMC is over these.
    public let firstRank: Int

    /// - Parameters:
    ///   - places: of the hits, ascending, from 0, among what may be ranked; at least one.
    ///   - firstRank: as above.
    init(places: [Int], firstRank: Int) {
        let precisions = places.enumerated().map { Double($0 + 1) / Double($1 + 1) }
        averagePrecision = precisions.reduce(0, +) / Double(places.count)
        inverseNegativePenalty = Double(places.count) / Double((places.last ?? 0) + 1)
        hits = places.count
        self.firstRank = firstRank
    }
}

extension RetrievalMetrics {
    /// The means over queries; nil is one that has nothing to be found, and does not count.
    public init(_ outcomes: some Sequence<QueryOutcome?>) {
        var sums = [Double](repeating: 0, count: 5)
        var (queries, skipped) = (0, 0)
        for outcome in outcomes {
            guard let outcome else {
                skipped += 1
                continue
            }
            queries += 1
            sums[0] += outcome.averagePrecision
            sums[1] += outcome.inverseNegativePenalty
            for (index, rank) in [1, 5, 10].enumerated() where outcome.firstRank <= rank { sums[2 + index] += 1 }
        }
        let means = sums.map { queries == 0 ? 0 : $0 / Double(queries) }
        self.init(
            mAP: means[0], mINP: means[1], rank1: means[2], rank5: means[3], rank10: means[4], queries: queries,
            skipped: skipped)
    }

    /// Cumulative match characteristic: the share of the queries that count with a hit at each rank from 1.
    public static func curve(_ outcomes: some Sequence<QueryOutcome?>, ranks: Int = 50) -> [Double] {
        let firsts = outcomes.compactMap { $0?.firstRank }
        return (1...ranks).map { rank in
            Double(firsts.count { $0 <= rank }) / Double(max(firsts.count, 1))
        }
    }
}
