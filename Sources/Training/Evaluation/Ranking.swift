import Randomness
import Similarity
import Tensor

/// Rankings of a gallery for queries.
public enum Ranking {
    /// How far two embeddings are apart.
    public enum Distance: String, CaseIterable, Sendable {
        case cosine, euclidean
    }

    /// For each query, the gallery's indices from near to far; what is equally far keeps gallery order. Equal
    /// items may be a rounding apart, as a product's last bit depends on its place in the matrix.
    ///
    /// - Parameters:
    ///   - queries: [Q, D].
    ///   - gallery: [G, D].
    /// - Returns: Q orders of G indices. O(Q·G·(D + log G)).
    public static func orders(queries: Tensor, gallery: Tensor, _ distance: Distance = .cosine) -> [[Int]] {
        Array(lazyOrders(queries: queries, gallery: gallery, distance))
    }

    /// The same, a block of queries at a time: the orders of all would not fit the memory where both sides are large.
    static func lazyOrders(
        queries: Tensor, gallery: Tensor, _ distance: Distance
    ) -> some Sequence<[Int]> {
        let distances = DistanceMatrix(gallery: gallery, distance)
        return distances.rows(queries).lazy.flatMap { rows in
            rows.chunked(distances.columns).lazy.map { row in
                row.indices.sorted { (row[$0], $0) < (row[$1], $1) }.map { $0 - row.startIndex }
            }
        }
    }

    /// Orders at random: what an encoder must beat.
    public static func random(queries: Int, gallery: Int, seed: UInt64) -> [[Int]] {
        var generator = SplitMix64(seed: seed)
        return (0..<queries).map { _ in generator.shuffled(Array(0..<gallery)) }
    }
}

/// How a gallery is ranked by vectors.
public struct RankingMethod: Sendable {
    /// Of embeddings that were normalised, or of raw ones.
    public var distance = Ranking.Distance.cosine
    /// Re-ranking by what neighbours have in common, over cosines; nil for none.
    public var reranking: KReciprocal?

    /// By the cosine, without re-ranking.
    public init(distance: Ranking.Distance = .cosine, reranking: KReciprocal? = nil) {
        (self.distance, self.reranking) = (distance, reranking)
    }

    /// How far the queries are from the gallery.
    func distances(_ queries: EncodedItems, _ gallery: EncodedItems) -> any DistanceSource {
        reranking.map { RerankedDistances($0, queries, gallery) } ?? VectorComparison(queries, gallery, distance)
    }
}

extension Array {
    /// Consecutive slices of `size` elements.
    func chunked(_ size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
