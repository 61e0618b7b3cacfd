/// Retrieval metrics as the re-identification field computes them (`Tests/Reference/metrics.py`), from ranks alone.
package struct RetrievalSums: Sendable {
    private var (precision, penalty) = (0.0, 0.0)
    private var within = [0, 0, 0]
    private var (queries, skipped) = (0, 0)

    /// Of no query.
    package init() {}

    /// Adds a query.
    ///
    /// - Parameter ahead: for each hit, best first, how many others come before it that are no hits; empty if there is nothing to be
    ///   found.
    /// - Returns: its average precision; nil if it does not count.
    @discardableResult package mutating func add(_ ahead: [Int]) -> Double? {
        guard let first = ahead.first, let last = ahead.last else {
            skipped += 1
            return nil
        }
        queries += 1
        let precisions = ahead.enumerated().map { Double($0 + 1) / Double($0 + 1 + $1) }
        let average = precisions.reduce(0, +) / Double(ahead.count)
        precision += average
        penalty += Double(ahead.count) / Double(ahead.count + last)
        for (index, rank) in [1, 5, 10].enumerated() where first < rank { within[index] += 1 }
        return average
    }

    /// The means.
    package var metrics: GalleryEvaluation.Retrieval {
        let share = { (sum: Double) in queries == 0 ? 0 : sum / Double(queries) }
        return GalleryEvaluation.Retrieval(
            meanAveragePrecision: share(precision), meanInverseNegativePenalty: share(penalty),
            rank1: share(Double(within[0])), rank5: share(Double(within[1])), rank10: share(Double(within[2])),
            queries: queries, skipped: skipped)
    }
}

/// Best scores of queries, for one set of modalities.
struct ScoreSample: Sendable {
    private static let bins = 100
    private static let steps = 40

    private var (genuine, impostor) = ([Float](), [Float]())

    mutating func add(genuine score: Float) { genuine.append(score) }
    mutating func add(impostor score: Float) { impostor.append(score) }

    func scores(_ modalities: [String], threshold: Float?) -> GalleryEvaluation.Scores {
        let (genuine, impostor) = (genuine.sorted(), impostor.sorted())
        let (low, high) = (min(genuine.first ?? 1, impostor.first ?? 1), max(genuine.last ?? -1, impostor.last ?? -1))
        let curve = (0...Self.steps).map { step in
            let threshold = low + (high - low) * Float(step) / Float(Self.steps)
            return GalleryEvaluation.Point(threshold: threshold, errors: Self.errors(genuine, impostor, threshold))
        }
        return GalleryEvaluation.Scores(
            modalities: modalities, genuine: Self.histogram(genuine), impostor: Self.histogram(impostor),
            threshold: threshold, errors: threshold.map { Self.errors(genuine, impostor, $0) }, curve: curve)
    }

    /// Of sorted scores.
    private static func errors(
        _ genuine: [Float], _ impostor: [Float], _ threshold: Float
    ) -> GalleryEvaluation.OpenSet {
        let (missed, accepted) = (below(threshold, genuine), impostor.count - below(threshold, impostor))
        return GalleryEvaluation.OpenSet(
            falsePositiveIdentificationRate: Double(accepted) / Double(max(impostor.count, 1)),
            falseNegativeIdentificationRate: Double(missed) / Double(max(genuine.count, 1)))
    }

    /// How many of some sorted scores are below a threshold. O(log n).
    private static func below(_ threshold: Float, _ sorted: [Float]) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < threshold { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private static func histogram(_ scores: [Float]) -> [Int] {
        scores.reduce(into: [Int](repeating: 0, count: bins)) { counts, score in
            counts[min(max(Int((score + 1) / 2 * Float(bins)), 0), bins - 1)] += 1
        }
    }
}
