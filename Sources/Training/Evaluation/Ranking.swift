import Randomness
import Tensor

/// Rankings of a gallery for queries.
public enum Ranking {
    /// How far two embeddings are apart.
    public enum Distance: String, CaseIterable, Sendable {
        case cosine, euclidean
    }

    /// For each query, the gallery's indices from near to far; ties keep gallery order.
    ///
    /// - Parameters:
    ///   - queries: [Q, D].
    ///   - gallery: [G, D].
    /// - Returns: Q orders of G indices. O(Q·G·(D + log G)).
    public static func orders(queries: Tensor, gallery: Tensor, _ distance: Distance = .cosine) -> [[Int]] {
        let (q, g) = distance == .cosine ? (unit(queries), unit(gallery)) : (queries, gallery)
        let products = q.matmul(g, transposingSecond: true)
        let norms = distance == .cosine ? [Float](repeating: 0, count: g.shape[0]) : g.squared().sum(axis: 1).scalars
        let count = gallery.shape[0]
        return products.withUnsafeScalars { products in
            (0..<queries.shape[0]).map { row in
                // The query's own norm moves all distances alike.
                let keys = (0..<count).map { norms[$0] - 2 * products[row * count + $0] }
                return keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
            }
        }
    }

    private static func unit(_ rows: Tensor) -> Tensor {
        let width = rows.shape[1]
        return Tensor(
            rows.scalars.chunked(width).flatMap { row in
                let norm = max(row.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
                return row.map { $0 / norm }
            }, shape: rows.shape)
    }

    /// Orders at random: what an encoder must beat.
    public static func random(queries: Int, gallery: Int, seed: UInt64) -> [[Int]] {
        var generator = SplitMix64(seed: seed)
        return (0..<queries).map { _ in generator.shuffled(Array(0..<gallery)) }
    }
}

extension Array {
    /// Consecutive slices of `size` elements.
    func chunked(_ size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}
