import Inference
import Tensor

/// Gives how far queries are from every item of a gallery, a query at a time: all of a large data set would not fit the memory.
public protocol DistanceSource {
    /// Queries, and items of the gallery.
    var size: (queries: Int, gallery: Int) { get }

    /// Calls `body` once for each query, in any order, with its distances: smaller is nearer, infinite is nothing to compare.
    func visit(_ body: (_ query: Int, _ distances: [Double]) throws -> Void) rethrows
}

/// Distances as they are given.
public struct GivenDistances: DistanceSource, Sendable {
    private let rows: [[Double]]

    /// - Parameter rows: one a query, equally long.
    public init(_ rows: [[Double]]) { self.rows = rows }

    /// Of the rows.
    public var size: (queries: Int, gallery: Int) { (rows.count, rows.first?.count ?? 0) }

    /// In order.
    public func visit(_ body: (_ query: Int, _ distances: [Double]) throws -> Void) rethrows {
        for (query, row) in rows.enumerated() { try body(query, row) }
    }
}

/// Distances between items by their vectors: of what the modalities of both make, by each of the models that can compare them.
package struct VectorComparison: DistanceSource {
    private let queries: EncodedItems
    private let gallery: EncodedItems
    private let distance: Ranking.Distance
    private let blockElements: Int

    /// - Parameters:
    ///   - distance: by the cosine a distance is −2 times that, whatever the number of models; by Euclid's what orders a gallery
    ///     as that does. Of several models the cosines are averaged.
    ///   - blockElements: distances that are held at a time.
    package init(
        _ queries: EncodedItems, _ gallery: EncodedItems, _ distance: Ranking.Distance = .cosine,
        blockElements: Int = 1 << 22
    ) {
        (self.queries, self.gallery, self.distance) = (queries, gallery, distance)
        self.blockElements = blockElements
    }

    package var size: (queries: Int, gallery: Int) { (queries.items.count, gallery.items.count) }

    /// Part of the gallery, as some queries see it.
    private struct Column {
        let members: [Int]
        let queries: Tensor
        let matrix: DistanceMatrix
        /// What to add to each query's distances, so that those to other parts are on one scale.
        let offsets: [Float]
    }

    package func visit(_ body: (_ query: Int, _ distances: [Double]) throws -> Void) rethrows {
        let width = gallery.items.count
        let rows = max(blockElements / max(width, 1), 1)
        for group in queries.groups {
            let columns = gallery.groups.compactMap { column(group, $0) }
            for start in stride(from: 0, to: group.members.count, by: rows) {
                let slots = start..<min(start + rows, group.members.count)
                let blocks = columns.map { column in
                    Array(column.matrix.rows(column.queries.sliced(axis: 0, slots)).joined())
                }
                for slot in slots {
                    var distances = [Double](repeating: .infinity, count: width)
                    for (column, block) in zip(columns, blocks) {
                        let at = (slot - start) * column.members.count
                        let offset = column.offsets.isEmpty ? 0 : column.offsets[slot]
                        for (place, member) in column.members.enumerated() {
                            distances[member] = Double(block[at + place] + offset)
                        }
                    }
                    try body(group.members[slot], distances)
                }
            }
        }
    }

    /// nil if no model can compare the two.
    private func column(_ group: EncodedItems.Group, _ items: EncodedItems.Group) -> Column? {
        let pairs = zip(group.models, items.models).compactMap { query, item in
            query.flatMap { query in item.flatMap { PartVectors.compared(query, $0) } }
        }
        guard let first = pairs.first else { return nil }
        let (query, item) =
            pairs.count == 1
            ? first : (Self.sideBySide(pairs.map(\.queries)), Self.sideBySide(pairs.map(\.gallery)))
        let needsOffsets = distance == .euclidean && gallery.groups.count > 1
        return Column(
            members: items.members, queries: query,
            matrix: DistanceMatrix(gallery: item, distance, blockElements: blockElements),
            offsets: needsOffsets ? query.squaredNorms : [])
    }

    /// Several models' vectors, each normalised (UniCat, appendix C): the cosine is the mean of theirs.
    private static func sideBySide(_ vectors: [Tensor]) -> Tensor {
        let units = vectors.map { Tensor(Embedding.normalised($0).flatMap { $0 }, shape: $0.shape) }
        return Tensor.concatenated(units, axis: 1)
    }
}

extension Tensor {
    /// Of each row of [N, D].
    fileprivate var squaredNorms: [Float] {
        scalars.chunked(shape[1]).map { Float($0.reduce(0) { $0 + Double($1) * Double($1) }) }
    }
}
