/// Points of a plane, by quarters of quarters of their square, for sums over all of them in which those far away count as one
/// (Barnes and Hut, 1986).
///
/// The cells lie in the order of a walk, each with the place after its last descendant, so that a walk needs no stack.
package struct QuadTree: Sendable {
    private struct Cell {
        var centre = SIMD2<Double>()
        var count = 0.0
        /// The side's square.
        let squaredSide: Double
        let isLeaf: Bool
        /// The place after all that it holds.
        var next = 0
    }

    /// Points that are still together after so many halvings count as one.
    private static let depth = 26
    /// A cell whose side is less than this share of its distance counts as one point: what the field uses.
    static let accuracy = 0.5

    private var cells: [Cell] = []
    private var points: [SIMD2<Double>] = []
    private var codes: [UInt64] = []

    /// O(n · log n).
    package init(_ positions: [SIMD2<Double>]) {
        guard let first = positions.first else { return }
        let low = positions.reduce(first, pointwiseMin)
        let extent = positions.reduce(first, pointwiseMax) - low
        let side = max(extent.x, extent.y, .leastNormalMagnitude)
        let scale = Double((1 << Self.depth) - 1) / side
        let coded = positions.map { (code: Self.code(($0 - low) * scale), point: $0) }
        // Equal codes in their order, so that sums are the same in every run.
        let order = coded.indices.sorted { (coded[$0].code, $0) < (coded[$1].code, $1) }
        (points, codes) = (order.map { coded[$0].point }, order.map { coded[$0].code })
        cells.reserveCapacity(2 * positions.count)
        add(points.indices, depth: 0, squaredSide: side * side)
    }

    /// The bits of both coordinates in turn.
    private static func code(_ cell: SIMD2<Double>) -> UInt64 { spread(cell.x) | spread(cell.y) << 1 }

    private static func spread(_ coordinate: Double) -> UInt64 {
        // What is no number lies in the corner.
        var bits = coordinate > 0 ? UInt64(min(coordinate, Double(1 << depth) - 1)) : 0
        for (shift, mask) in [
            (16, 0x0000_FFFF_0000_FFFF), (8, 0x00FF_00FF_00FF_00FF), (4, 0x0F0F_0F0F_0F0F_0F0F),
            (2, 0x3333_3333_3333_3333), (1, 0x5555_5555_5555_5555),
        ] as [(UInt64, UInt64)] { bits = (bits | bits << shift) & mask }
        return bits
    }

    private mutating func add(_ range: Range<Int>, depth: Int, squaredSide: Double) {
        let place = cells.count
        let isLeaf = range.count == 1 || depth == Self.depth
        let sum = points[range].reduce(SIMD2<Double>(), +)
        cells.append(
            Cell(
                centre: sum / Double(range.count), count: Double(range.count), squaredSide: squaredSide,
                isLeaf: isLeaf))
        if !isLeaf {
            let shift = UInt64(2 * (Self.depth - 1 - depth))
            var start = range.lowerBound
            while start < range.upperBound {
                let quarter = codes[start] >> shift
                var end = start + 1
                while end < range.upperBound && codes[end] >> shift == quarter { end += 1 }
                add(start..<end, depth: depth + 1, squaredSide: squaredSide / 4)
                start = end
            }
        }
        cells[place].next = cells.count
    }

    /// Over all points j with q = 1 / (1 + ‖point − j‖²): Σ q² · (point − j), and Σ q less the point itself, which must be one of
    /// them. O(log n) cells, about.
    package func repulsion(on point: SIMD2<Double>) -> (force: SIMD2<Double>, sum: Double) {
        var (force, sum, place) = (SIMD2<Double>(), -1.0, 0)
        cells.withUnsafeBufferPointer { cells in
            while place < cells.count {
                let cell = cells[place]
                let offset = point - cell.centre
                let squared = (offset * offset).sum()
                if cell.isLeaf || cell.squaredSide < Self.accuracy * Self.accuracy * squared {
                    let kernel = 1 / (1 + squared)
                    sum += cell.count * kernel
                    force += offset * (cell.count * kernel * kernel)
                    place = cell.next
                } else {
                    place += 1
                }
            }
        }
        return (force, sum)
    }
}
