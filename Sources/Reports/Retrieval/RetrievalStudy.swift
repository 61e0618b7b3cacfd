import Charts
import Foundation
import Inference
import Training

/// How a model ranks some sightings, query by query.
public struct RetrievalStudy: Sendable {
    /// How one query went.
    public struct Query: Sendable, Equatable {
        /// Its place in the task.
        public let index: Int
        /// The mean of the precisions at its hits.
        public let averagePrecision: Double
        /// The rank of the first hit, from 1.
        public let firstHit: Int
        /// The first that are ranked.
        public let matches: [Match]
    }

    /// A sighting that is ranked for a query.
    public struct Match: Sendable, Equatable {
        /// Its place in the gallery.
        public let index: Int
        /// 1 - cosine.
        public let distance: Double
        /// Whether it shows the query's identity.
        public let isHit: Bool
    }

    /// Matches that are kept of a query.
    static let matches = 6
    /// Ranks of the cumulative match characteristic.
    private static let ranks = 20

    /// What was ranked, of the first trial where there are more.
    public let task: RetrievalTask
    /// Of the whole.
    public let metrics: RetrievalMetrics
    /// The share of queries with a hit at a rank or before it, from rank 1 on.
    public let matchCharacteristic: [Double]
    /// Distances of what may be ranked for a query, of its identity and of others.
    public let distances: PairDistances
    /// Those that count, in the task's order.
    public let queries: [Query]
    /// Every sighting once, in the order of what is encoded.
    let sightings: [TriplesDataset.Sighting]
    let encoded: EncodedSightings

    /// Encodes and ranks, each sighting by the modalities that it has, as `triptych evaluate` does. Blocks: call it on a compute
    /// thread.
    ///
    /// Throws `DatasetError` for an image that cannot be read, `EvaluationError` if there is nothing to compare.
    public init(
        _ task: RetrievalTask, _ encoder: MultimodalEncoder, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        let images = TaskImages([task], Preprocessing(encoder.configuration.input), modalities: encoder.modalities)
        let all = Set(encoder.modalities)
        encoded = try DatasetEvaluation(encoder).encoded(images.images, sets: [all], progress: progress)
        (self.task, sightings) = (task, images.images.sightings)
        let made = try EncodedTasks(images, encoded).task(task, all, all)
        let gallery = made.gallery(0)
        var outcomes = [QueryOutcome?](repeating: nil, count: made.queries.items.count)
        var (queries, pairs) = ([Query](), PairDistances())
        made.visit { index, keys in
            // Keys are -2·cosine.
            let (query, distances) = (made.queries.items[index], keys.map { 1 + $0 / 2 })
            pairs.add(query, distances, gallery)
            outcomes[index] = gallery.outcome(of: query, distances)
            guard let outcome = outcomes[index] else { return }
            let matches = gallery.best(Self.matches, of: query, distances).map { place in
                Match(
                    index: made.galleries[0].places[place], distance: distances[place],
                    isHit: gallery.items[place].identity == query.identity)
            }
            queries.append(
                Query(
                    index: made.queries.places[index], averagePrecision: outcome.averagePrecision,
                    firstHit: outcome.firstRank, matches: matches))
        }
        (metrics, distances) = (RetrievalMetrics(outcomes), pairs)
        matchCharacteristic = RetrievalMetrics.curve(outcomes, ranks: Self.ranks)
        self.queries = queries.sorted { $0.index < $1.index }
    }

    /// The queries that went best, and those that went worst: of an identity one, as long as there are others; none is in both.
    ///
    /// - Parameter count: of each, at most.
    func extremes(_ count: Int) -> (best: [Query], worst: [Query]) {
        let sorted = queries.sorted {
            ($0.averagePrecision, -$0.firstHit, $1.index) > ($1.averagePrecision, -$1.firstHit, $0.index)
        }
        let worst = varied(sorted.reversed(), min(count, sorted.count / 2))
        let taken = Set(worst.map(\.index))
        return (varied(sorted.filter { !taken.contains($0.index) }, min(count, sorted.count / 2)), worst)
    }

    private func varied(_ queries: [Query], _ count: Int) -> [Query] {
        var seen: Set<String> = []
        let first = queries.filter { seen.insert(task.queries[$0.index].identity).inserted }
        let taken = Set(first.map(\.index))
        return Array((first + queries.filter { !taken.contains($0.index) }).prefix(count))
    }
}

/// How far pairs are apart that may be ranked for each other: a histogram of 1 - cosine, from 0 to 2.
public struct PairDistances: Sendable, Encodable, Equatable {
    /// Finer than is shown: how far apart a model's distances lie is only known at the end.
    private static let bins = 20_000
    /// Of what is shown.
    private static let most = 40

    /// Pairs of one identity, and of two, by bin.
    private var same = [Int](repeating: 0, count: bins), different = [Int](repeating: 0, count: bins)

    /// Counts what may be ranked for a query and can be compared with it.
    mutating func add(_ query: RetrievalMetrics.Item, _ distances: [Double], _ gallery: RankedGallery) {
        for (item, distance) in zip(gallery.items, distances)
        where distance < .infinity && gallery.rule.ranks(item, for: query) {
            let bin = min(max(Int(distance / 2 * Double(Self.bins)), 0), Self.bins - 1)
            if item.identity == query.identity { same[bin] += 1 } else { different[bin] += 1 }
        }
    }

    /// At most forty bins as wide as each other, from the first to the last that is not empty, and what they divide.
    public var shown: (same: [Int], different: [Int], range: ClosedRange<Double>) {
        let used = same.indices.filter { same[$0] + different[$0] > 0 }
        let (first, last) = (used.first ?? 0, used.last ?? Self.bins - 1)
        let width = (last - first) / Self.most + 1
        let starts = Array(stride(from: first, through: last, by: width))
        let sums = { (counts: [Int]) in starts.map { counts[$0..<min($0 + width, Self.bins)].reduce(0, +) } }
        let edge = { (bin: Int) in 2 * Double(bin) / Double(Self.bins) }
        return (sums(same), sums(different), edge(first)...edge(first + starts.count * width))
    }

    private enum CodingKeys: String, CodingKey {
        case same, different, from, to
    }

    /// Writes what is shown.
    public func encode(to encoder: any Encoder) throws {
        let shown = shown
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(shown.same, forKey: .same)
        try container.encode(shown.different, forKey: .different)
        try container.encode(shown.range.lowerBound, forKey: .from)
        try container.encode(shown.range.upperBound, forKey: .to)
    }
}
