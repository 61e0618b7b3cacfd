import Foundation

/// t-distributed stochastic neighbour embedding (van der Maaten and Hinton, JMLR 2008) with Barnes–Hut repulsion (van der Maaten,
/// JMLR 2014): points of a plane whose neighbours are those of a graph.
///
/// Gradient descent with momentum and gains as in the papers, early exaggeration and the step as Belkina et al. (2019), who tried them
/// up to millions of points, and a start that is not random as Kobak and Berens (2019), so that also what lies far apart is where it
/// should be. Forces on a point depend on no order of others, so any number of threads gives the same bits.
package struct TSNE: Sendable {
    /// What acts on some of the points.
    package struct Forces: Sendable {
        fileprivate var attraction: [SIMD2<Double>] = []
        fileprivate var repulsion: [SIMD2<Double>] = []
        fileprivate var sums: [Double] = []
    }

    /// Steps in all.
    package static let iterations = 750
    private static let exaggerated = 250
    private static let exaggeration = 12.0
    /// How far the first coordinates are spread.
    private static let start = 1e-4

    /// Where the points are.
    package private(set) var positions: [SIMD2<Double>]
    private let graph: NeighbourGraph
    private var tree: QuadTree
    private var velocities: [SIMD2<Double>]
    private var gains: [SIMD2<Double>]
    private var step = 0

    /// From a first layout of any size.
    package init(_ graph: NeighbourGraph, from layout: [SIMD2<Double>]) {
        precondition(graph.edges.count == layout.count, "a layout of other points")
        self.graph = graph
        let centre = layout.reduce(SIMD2(), +) / Double(max(layout.count, 1))
        let variance = layout.reduce(0) { $0 + ($1.x - centre.x) * ($1.x - centre.x) } / Double(max(layout.count, 1))
        let scale = variance > 0 ? Self.start / variance.squareRoot() : 1
        positions = layout.map { ($0 - centre) * scale }
        velocities = [SIMD2<Double>](repeating: SIMD2(), count: layout.count)
        gains = [SIMD2<Double>](repeating: SIMD2(1, 1), count: layout.count)
        tree = QuadTree(positions)
    }

    /// What acts on some of the points now. O(log n) each.
    package func forces(on points: Range<Int>) -> Forces {
        var forces = Forces()
        for point in points {
            let position = positions[point]
            var attraction = SIMD2<Double>()
            for edge in graph.edges[point] {
                let offset = position - positions[Int(edge.point)]
                attraction += offset * (edge.weight / (1 + (offset * offset).sum()))
            }
            let (repulsion, sum) = tree.repulsion(on: position)
            forces.attraction.append(attraction)
            forces.repulsion.append(repulsion)
            forces.sums.append(sum)
        }
        return forces
    }

    /// Moves all points by what acts on them, in their order. O(n · log n).
    package mutating func move(by parts: [Forces]) {
        let isEarly = step < Self.exaggerated
        let exaggeration = isEarly ? Self.exaggeration : 1
        // A point's attraction is 1/n in all, so that no step is longer than the way.
        let (momentum, rate) = (isEarly ? 0.5 : 0.8, Double(positions.count) / exaggeration)
        let total = max(parts.reduce(0) { $1.sums.reduce($0, +) }, .leastNormalMagnitude)
        var point = 0
        for part in parts {
            for (attraction, repulsion) in zip(part.attraction, part.repulsion) {
                let gradient = attraction * exaggeration - repulsion / total
                for axis in 0...1 {
                    let isTurning = (gradient[axis] > 0) == (velocities[point][axis] > 0)
                    gains[point][axis] = isTurning ? max(gains[point][axis] * 0.8, 0.01) : gains[point][axis] + 0.2
                }
                velocities[point] = momentum * velocities[point] - rate * gains[point] * gradient
                positions[point] += velocities[point]
                point += 1
            }
        }
        let centre = positions.reduce(SIMD2(), +) / Double(max(positions.count, 1))
        for index in positions.indices { positions[index] -= centre }
        tree = QuadTree(positions)
        step += 1
    }

    /// The positions within a square from −1 to 1, its longer side all of it.
    package var normalised: [SIMD2<Float>] {
        guard let first = positions.first else { return [] }
        let (low, high) = (positions.reduce(first, pointwiseMin), positions.reduce(first, pointwiseMax))
        let (centre, side) = ((low + high) / 2, max(high.x - low.x, high.y - low.y, .leastNormalMagnitude))
        return positions.map { position in
            let unit = (position - centre) * 2 / side
            return SIMD2(Float(unit.x), Float(unit.y)).clamped(lowerBound: SIMD2(-1, -1), upperBound: SIMD2(1, 1))
        }
    }
}
