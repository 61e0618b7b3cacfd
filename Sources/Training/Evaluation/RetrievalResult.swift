import Inference

/// How a task went.
public struct RetrievalResult: Sendable, Encodable {
    /// The task's name.
    public let task: String
    /// What was ranked, in a few words, or how else the gallery was ordered.
    public let modalities: String
    /// What was ranked, in numbers; nil for a random order.
    public let ranked: RankedModalities?
    /// What was not ranked for a query, in words.
    public let notRanked: String
    /// Whether the CMC is over identities.
    public let isDeduplicated: Bool
    /// Queries of the task, those that were skipped and those that were left out included.
    public let queries: Int
    /// Items of the gallery, in each trial.
    public let galleries: [Int]
    /// The mean over the trials.
    public let metrics: RetrievalMetrics
    /// The standard deviation over the trials, with n - 1; nil for one trial.
    public let deviation: RetrievalDeviation?

    /// A task's, from how each query went in each trial.
    public init(_ task: EncodedTask, _ trials: [[QueryOutcome?]]) {
        let ranked = task.modalities
        self.init(
            task: task.name, modalities: task.label, ranked: ranked, notRanked: task.rule.notRanked,
            isDeduplicated: task.isDeduplicated, queries: task.queries.items.count + task.queries.leftOut,
            galleries: task.galleries.map(\.items.count), trials: trials.map { RetrievalMetrics($0) })
    }

    private init(
        task: String, modalities: String, ranked: RankedModalities?, notRanked: String, isDeduplicated: Bool,
        queries: Int, galleries: [Int], trials: [RetrievalMetrics]
    ) {
        (self.task, self.modalities, self.ranked, self.notRanked) = (task, modalities, ranked, notRanked)
        (self.isDeduplicated, self.queries, self.galleries) = (isDeduplicated, queries, galleries)
        metrics = RetrievalMetrics(meanOf: trials)
        deviation = trials.count > 1 ? RetrievalDeviation(of: trials) : nil
    }

    /// Results of the same tasks by a model a trial, one after the other: RegDB's.
    ///
    /// - Parameter trials: at least one; each with the same tasks and modalities, in the same order, and one gallery.
    public static func combined(_ trials: [[RetrievalResult]]) -> [RetrievalResult] {
        guard trials.count > 1, let first = trials.first else { return trials.first ?? [] }
        return first.indices.map { index in
            let own = trials.compactMap { $0.indices.contains(index) ? $0[index] : nil }
            let one = first[index]
            return RetrievalResult(
                task: one.task, modalities: one.modalities, ranked: one.ranked, notRanked: one.notRanked,
                isDeduplicated: one.isDeduplicated, queries: one.queries, galleries: own.flatMap(\.galleries),
                trials: own.map(\.metrics))
        }
    }

    /// A task with galleries in random order: what an encoder must beat.
    public static func random(_ task: RetrievalTask, seed: UInt64 = 1) -> RetrievalResult {
        let trials = task.galleries.enumerated().map { trial, gallery in
            task.metrics(
                Ranking.random(queries: task.queries.count, gallery: gallery.count, seed: seed + UInt64(trial)),
                gallery)
        }
        return RetrievalResult(
            task: task.name, modalities: "random ranking", ranked: nil, notRanked: task.rule.notRanked,
            isDeduplicated: task.isDeduplicated, queries: task.queries.count, galleries: task.galleries.map(\.count),
            trials: trials)
    }
}

/// How far trials are apart: standard deviations of what `RetrievalMetrics` has.
public struct RetrievalDeviation: Sendable, Equatable, Codable {
    /// Of mAP.
    public var mAP: Double
    /// Of mINP.
    public var mINP: Double
    /// Of the CMC at 1, 5 and 10.
    public var rank1: Double, rank5: Double, rank10: Double

    init(of trials: [RetrievalMetrics]) {
        let deviation = { (value: KeyPath<RetrievalMetrics, Double>) in
            let values = trials.map { $0[keyPath: value] }
            let mean = values.reduce(0, +) / Double(values.count)
            let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
            return (squares / Double(max(values.count - 1, 1))).squareRoot()
        }
        mAP = deviation(\.mAP)
        mINP = deviation(\.mINP)
        (rank1, rank5, rank10) = (deviation(\.rank1), deviation(\.rank5), deviation(\.rank10))
    }
}

extension RetrievalMetrics {
    /// The mean of trials, at least one; of the queries, those of the trial with the fewest that count.
    init(meanOf trials: [RetrievalMetrics]) {
        let mean = { (value: KeyPath<RetrievalMetrics, Double>) in
            trials.reduce(0) { $0 + $1[keyPath: value] } / Double(max(trials.count, 1))
        }
        let fewest = trials.min { $0.queries < $1.queries }
        self.init(
            mAP: mean(\.mAP), mINP: mean(\.mINP), rank1: mean(\.rank1), rank5: mean(\.rank5), rank10: mean(\.rank10),
            queries: fewest?.queries ?? 0, skipped: fewest?.skipped ?? 0)
    }
}
