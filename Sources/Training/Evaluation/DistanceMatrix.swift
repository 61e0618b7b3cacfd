import COpenBLAS
import Inference
import Tensor

/// How far queries are from every item of a gallery, a block of queries at a time: the whole matrix of a large data set
/// would not fit the memory. The products are OpenBLAS's.
package struct DistanceMatrix {
    private let distance: Ranking.Distance
    private let gallery: [Float]
    /// The squared norms of the gallery's items; zeros where all are units.
    private let squares: [Float]
    private let width: Int
    private let blockElements: Int
    /// Items of the gallery.
    package let columns: Int

    /// - Parameters:
    ///   - gallery: [G, D].
    ///   - blockElements: of one block of distances.
    package init(gallery: Tensor, _ distance: Ranking.Distance, blockElements: Int = 1 << 24) {
        self.distance = distance
        self.blockElements = blockElements
        (columns, width) = (gallery.shape[0], gallery.shape[1])
        self.gallery = Self.elements(gallery, distance)
        squares =
            distance == .cosine
            ? [Float](repeating: 0, count: columns)
            : self.gallery.chunked(width).map { Float($0.reduce(0) { $0 + Double($1) * Double($1) }) }
    }

    /// Blocks of rows of what orders a gallery as the distance does, `columns` numbers a query: |g|² - 2·q·g. The query's own
    /// norm would move all of a row alike.
    ///
    /// - Parameter queries: [Q, D].
    package func rows(_ queries: Tensor) -> some Collection<[Float]> {
        let queries = Self.elements(queries, distance)
        let block = max(blockElements / max(columns, 1), 1) * width
        return queries.chunked(block).lazy.map { keys(Array($0)) }
    }

    private func keys(_ queries: [Float]) -> [Float] {
        let count = queries.count / width
        var keys = [Float](repeating: 0, count: count * columns)
        for row in 0..<count { keys.replaceSubrange(row * columns..<(row + 1) * columns, with: squares) }
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, CblasTrans, blasint(count), blasint(columns), blasint(width), -2, queries,
            blasint(width), gallery, blasint(width), 1, &keys, blasint(columns))
        return keys
    }

    private static func elements(_ rows: Tensor, _ distance: Ranking.Distance) -> [Float] {
        distance == .cosine ? Embedding.normalised(rows).flatMap { $0 } : rows.scalars
    }
}
