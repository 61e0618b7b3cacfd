import Similarity

/// Takes the scores of some sightings that are looked for.
protocol ScoreVisitor: Sendable {
    /// Whether a pair is worth comparing.
    ///
    /// - Parameters:
    ///   - query: the place among those that are looked for.
    ///   - other: the place in the roster.
    func admits(_ query: Int, _ other: Int) -> Bool

    /// Takes a score.
    ///
    /// - Parameters:
    ///   - score: nil if the two cannot be compared.
    ///   - set: by which modalities, among `PairScorer.sets`.
    mutating func visit(_ query: Int, _ other: Int, score: Float?, set: Int)
}

/// Some sightings that are compared with others, every pair: the scores are those of a search, to the bit.
///
/// A search's bounds rule out nearly all of a gallery, but only for whoever wants the first few. Where the rank of every sighting
/// of an identity is asked for, all must be scored.
struct PairScorer: Sendable {
    /// How sightings with the same kinds of vectors are compared with each query.
    private struct Kind: Sendable {
        let table: VectorTable
        let units: [SimilarityQuery?]
        let sets: [Int]
        /// Each of these once, where there is something to compare.
        let distinct: Set<Int>
    }

    /// One that the queries are compared with.
    private struct Other {
        let place: Int
        let kind: Int
        /// By set, padded; empty where there is none.
        let units: [[Float]]
    }

    /// Sightings that stay in the cache while the queries go by.
    private static let tile = 32

    /// Sets of modalities by which sightings were compared.
    private(set) var sets: [[String]] = []
    private let queries: [VectorCombination?]
    private var kinds: [Kind] = []

    /// - Parameter queries: nil for what is there no more.
    init(_ queries: [VectorCombination?]) { self.queries = queries }

    /// Compares sightings with each query that the visitor wants them to be compared with, those of a query in their order.
    /// O(queries · others · dimension).
    mutating func compare<Visitor: ScoreVisitor>(
        _ others: [(place: Int, vectors: VectorCombination)], for visitor: inout Visitor
    ) {
        for start in stride(from: 0, to: others.count, by: Self.tile) {
            let some = others[start..<min(start + Self.tile, others.count)].map { prepared($0.vectors, at: $0.place) }
            for query in queries.indices where queries[query] != nil { visit(query, some, &visitor) }
        }
    }

    private func visit<Visitor: ScoreVisitor>(_ query: Int, _ others: [Other], _ visitor: inout Visitor) {
        var (kind, set, unit) = (-1, 0, SimilarityQuery?.none)
        for other in others where visitor.admits(query, other.place) {
            if other.kind != kind {
                kind = other.kind
                (set, unit) = (kinds[kind].sets[query], kinds[kind].units[query])
            }
            let score = unit.flatMap { other.units[set].isEmpty ? nil : $0.product(withPadded: other.units[set]) }
            visitor.visit(query, other.place, score: score, set: set)
        }
    }

    private mutating func prepared(_ other: VectorCombination, at place: Int) -> Other {
        let kind = kind(of: other)
        var units = [[Float]](repeating: [], count: sets.count)
        for set in kinds[kind].distinct {
            units[set] = other.unit(over: sets[set]).map(SimilarityKernels.padded) ?? []
        }
        return Other(place: place, kind: kind, units: units)
    }

    private mutating func kind(of other: VectorCombination) -> Int {
        let table = VectorTable(other)
        if let known = kinds.firstIndex(where: { $0.table.isLike(table) }) { return known }
        let comparisons = queries.map { query in query.flatMap { table.comparison(with: $0) } }
        let known = comparisons.map { comparison in comparison.map { set($0.names) } }
        kinds.append(
            Kind(
                table: table, units: comparisons.map { $0?.unit }, sets: known.map { $0 ?? 0 },
                distinct: Set(known.compactMap { $0 })))
        return kinds.count - 1
    }

    private mutating func set(_ names: [String]) -> Int {
        if let known = sets.firstIndex(of: names) { return known }
        sets.append(names)
        return sets.count - 1
    }
}
