import Inference
import Randomness

extension CrossRetrieval {
    private static let resamples = 2000
    /// The normal distribution's 97.5 % quantile.
    private static let quantile = 1.959964

    /// From what a parent's queries and a child's have found among the parent's vectors.
    ///
    /// Queries of one identity are alike, so it is identities that count as drawn at random: the loss of mAP has the percentiles of
    /// 2000 bootstrap samples of them (Efron, 1979), seeded; the agreement has Wilson's interval (1927) of as many trials, which
    /// is not empty where all agree. O(samples · queries).
    init(_ own: [RankingSet.Finding], _ cross: [RankingSet.Finding]) {
        let agreeing = zip(own, cross).count { $0.first == $1.first }
        let identities = Set(own.map(\.identity)).count
        let losses = zip(own, cross).compactMap { own, cross -> (identity: String, loss: Double)? in
            guard let before = own.precision, let after = cross.precision else { return nil }
            return (own.identity, before - after)
        }
        let groups = Dictionary(grouping: losses, by: \.identity).sorted { $0.key < $1.key }
            .map { (sum: $0.value.reduce(0) { $0 + $1.loss }, count: $0.value.count) }
        self.init(
            queries: own.count, identities: identities,
            agreement: Self.wilson(Double(agreeing) / Double(max(own.count, 1)), trials: identities),
            mAPLoss: Self.bootstrapped(groups))
    }

    private static func wilson(_ share: Double, trials: Int) -> Estimate {
        let (n, z) = (Double(trials), quantile)
        guard trials > 0 else { return Estimate(value: 0, low: 0, high: 1) }
        let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half = z * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot() / (1 + z * z / n)
        return Estimate(value: share, low: max(middle - half, 0), high: min(middle + half, 1))
    }

    /// The mean over all members of the groups, which are what is drawn anew.
    private static func bootstrapped(_ groups: [(sum: Double, count: Int)]) -> Estimate {
        let mean = { (groups: [(sum: Double, count: Int)]) in
            groups.reduce(0) { $0 + $1.sum } / Double(max(groups.reduce(0) { $0 + $1.count }, 1))
        }
        guard !groups.isEmpty else { return Estimate(value: 0, low: -1, high: 1) }
        var generator = SplitMix64(seed: 0)
        let means = (0..<resamples).map { _ in
            mean(groups.indices.map { _ in groups[generator.index(below: groups.count)] })
        }.sorted()
        let edge = resamples / 40
        return Estimate(value: mean(groups), low: means[edge], high: means[resamples - 1 - edge])
    }
}
