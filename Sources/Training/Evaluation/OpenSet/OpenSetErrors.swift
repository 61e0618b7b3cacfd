import Foundation
import Randomness

/// Error rates of searches with and without a mate, at any threshold.
struct OpenSetErrors {
    /// By mates' scores, low to high.
    let mated: [OpenSetSearch]
    /// By others' scores, high to low.
    let unmated: [OpenSetSearch]
    /// Steps of a curve.
    private static let steps = 100

    init(_ searches: [OpenSetSearch]) {
        mated = searches.filter { $0.mate != nil }.sorted { $0.mateScore < $1.mateScore }
        unmated = searches.filter { $0.mate == nil }.sorted { $0.otherScore > $1.otherScore }
    }

    /// The lowest threshold at which no more than a share of the searches without a mate are matched: just above the next of their
    /// scores. Weights say how often each counts.
    private func threshold(_ rate: Double, _ weights: [Int]?) -> Float {
        let total = weights?.reduce(0, +) ?? unmated.count
        // A product such as 0.29 · 100 may be a rounding below the whole number that it is.
        let allowed = Int(rate * Double(total) + 1e-9)
        var sum = 0
        for (index, search) in unmated.enumerated() {
            sum += weights?[index] ?? 1
            if sum > allowed { return search.otherScore.nextUp }
        }
        return OpenSetSearch.lowest
    }

    /// The shares of searches with a mate that are missed: of whose mates none reaches the threshold, and of whose none comes first.
    private func missed(_ threshold: Float, _ weights: [Int]?) -> (any: Double, first: Double) {
        var (any, first, total) = (0, 0, 0)
        for (index, search) in mated.enumerated() {
            let weight = weights?[index] ?? 1
            total += weight
            if search.mateScore < threshold { any += weight }
            if search.mateScore < threshold || !search.isMateFirst { first += weight }
        }
        return (Double(any) / Double(max(total, 1)), Double(first) / Double(max(total, 1)))
    }

    private func falsePositives(_ threshold: Float) -> Int { unmated.count { $0.otherScore >= threshold } }

    private func point(_ threshold: Float) -> OpenSetResult.Point {
        let missed = missed(threshold, nil)
        return OpenSetResult.Point(
            threshold: threshold,
            falsePositiveRate: Double(falsePositives(threshold)) / Double(max(unmated.count, 1)),
            falseNegativeRate: missed.any, falseNegativeRateAtRank1: missed.first)
    }

    /// From no search without a mate matched to all of them.
    var curve: [OpenSetResult.Point] {
        let counts =
            [0]
            + (0...Self.steps).map { step in
                Int(pow(Double(unmated.count), Double(step) / Double(Self.steps)).rounded())
            }
        let thresholds = counts.compactMap { count -> Float? in
            count < unmated.count ? unmated[count].otherScore.nextUp : unmated.last?.otherScore
        }
        var seen: Set<Float> = []
        return thresholds.filter { $0 > OpenSetSearch.lowest && seen.insert($0).inserted }.map(point)
    }

    /// What holds each rate, with intervals by the percentile bootstrap over identities: those with a mate and those without are drawn
    /// apart, with replacement, and each with all its queries.
    func operatingPoints(_ plan: OpenSetPlan) -> [OpenSetResult.OperatingPoint] {
        let (known, unknown) = (SearchClusters(mated), SearchClusters(unmated))
        var samples = plan.rates.map { _ in (thresholds: [Double](), any: [Double](), first: [Double]()) }
        for resample in 0..<plan.resamples {
            var generator = SplitMix64(seed: plan.seed, stream: 1, UInt64(resample))
            let (others, mates) = (unknown.drawn(&generator), known.drawn(&generator))
            for (index, rate) in plan.rates.enumerated() {
                let threshold = threshold(rate, others)
                let missed = missed(threshold, mates)
                samples[index].thresholds.append(Double(threshold))
                samples[index].any.append(missed.any)
                samples[index].first.append(missed.first)
            }
        }
        return zip(plan.rates, samples).map { rate, sample in
            let threshold = threshold(rate, nil)
            return OpenSetResult.OperatingPoint(
                rate: rate, point: point(threshold), falsePositives: falsePositives(threshold),
                threshold: .init(sample.thresholds), falseNegativeRate: .init(sample.any),
                falseNegativeRateAtRank1: .init(sample.first))
        }
    }
}

/// Searches by identity, in the order of these.
private struct SearchClusters {
    private let places: [Int]
    private let count: Int

    init(_ searches: [OpenSetSearch]) {
        let identities = Set(searches.map(\.identity)).sorted()
        let codes = Dictionary(uniqueKeysWithValues: identities.enumerated().map { ($1, $0) })
        places = searches.map { codes[$0.identity] ?? 0 }
        count = identities.count
    }

    /// How often each search counts, if as many identities are drawn as there are.
    func drawn(_ generator: inout SplitMix64) -> [Int] {
        var times = [Int](repeating: 0, count: count)
        for _ in 0..<count { times[generator.index(below: count)] += 1 }
        return places.map { times[$0] }
    }
}

extension OpenSetSearch {
    /// What nothing reaches a threshold with, and every score reaches as a threshold.
    fileprivate static let lowest = -Float.greatestFiniteMagnitude
    fileprivate var mateScore: Float { mate ?? Self.lowest }
    fileprivate var otherScore: Float { other ?? Self.lowest }
}

extension OpenSetResult.Interval {
    /// Between which 95 % of samples lie, with linear interpolation.
    fileprivate init(_ samples: [Double]) {
        let sorted = samples.sorted()
        let quantile = { (share: Double) in
            let place = share * Double(max(sorted.count - 1, 0))
            let (low, high) = (sorted[Int(place)], sorted[min(Int(place) + 1, sorted.count - 1)])
            return low + (high - low) * (place - place.rounded(.down))
        }
        self.init(low: quantile(0.025), high: quantile(0.975))
    }
}
