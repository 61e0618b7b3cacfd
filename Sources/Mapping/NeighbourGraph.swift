import Foundation

/// How likely each point has each other one for a neighbour: p_ij of t-SNE (van der Maaten and Hinton, 2008), over nearest
/// neighbours alone (van der Maaten, "Accelerating t-SNE using tree-based algorithms", JMLR 2014).
package struct NeighbourGraph: Sendable {
    /// A neighbour and how likely it is.
    package struct Edge: Sendable, Equatable {
        package let point: Int32
        package fileprivate(set) var weight: Double
    }

    /// A neighbour and how far it is: the squared distance of unit vectors.
    package struct Neighbour: Sendable {
        package let point: Int32
        package let squared: Double

        /// A neighbour as given.
        package init(point: Int32, squared: Double) { (self.point, self.squared) = (point, squared) }
    }

    /// By point, in order of neighbours; over all points the weights sum to one, and both ends of an edge have the same.
    package let edges: [[Edge]]

    /// Symmetric: p_ij = (p_j|i + p_i|j) / 2n. O(points · neighbours · log).
    ///
    /// - Parameter nearest: of each point, nearest first.
    package init(_ nearest: [[Neighbour]], perplexity: Double) {
        var edges = [[Edge]](repeating: [], count: nearest.count)
        let share = 1 / Double(2 * max(nearest.count, 1))
        for (point, neighbours) in nearest.enumerated() {
            for (neighbour, weight) in zip(neighbours, Self.conditional(neighbours.map(\.squared), perplexity)) {
                edges[point].append(Edge(point: neighbour.point, weight: weight * share))
                edges[Int(neighbour.point)].append(Edge(point: Int32(point), weight: weight * share))
            }
        }
        self.edges = edges.map(Self.merged)
    }

    /// Each neighbour once.
    private static func merged(_ edges: [Edge]) -> [Edge] {
        edges.sorted { $0.point < $1.point }.reduce(into: []) { merged, edge in
            if merged.last?.point == edge.point {
                merged[merged.count - 1].weight += edge.weight
            } else {
                merged.append(edge)
            }
        }
    }

    /// p_j|i: a Gaussian of the width at which 2 to the entropy of its neighbours is the perplexity, by bisection.
    package static func conditional(_ squared: [Double], _ perplexity: Double) -> [Double] {
        let (target, nearest) = (log(perplexity), squared.min() ?? 0)
        var (precision, low, high) = (1.0, 0.0, Double.infinity)
        var weights = squared
        for _ in 0..<200 {
            weights = squared.map { exp(-precision * ($0 - nearest)) }
            let sum = weights.reduce(0, +)
            let mean = zip(weights, squared).reduce(0) { $0 + $1.0 * ($1.1 - nearest) } / sum
            weights = weights.map { $0 / sum }
            let excess = log(sum) + precision * mean - target
            if abs(excess) < 1e-5 { break }
            if excess > 0 { low = precision } else { high = precision }
            precision = high == .infinity ? precision * 2 : (low + high) / 2
        }
        return weights
    }
}
