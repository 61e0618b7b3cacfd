/// How far points that are near each other on a map are near each other in truth (Venna and Kaski, "Neighborhood preservation in
/// nonlinear projection methods", ICANN 2001).
///
/// With n points, r(i, j) the rank of j among the others by how near it is to i in truth, and U(i) those of the k nearest to i on the
/// map that are not among the k nearest in truth, it is 1 − 2 / (n·k·(2n − 3k − 1)) · Σ_i Σ_{j ∈ U(i)} (r(i, j) − k).
package struct Trustworthiness: Sendable {
    /// k.
    package static let neighbours = 12

    private let points: [SIMD2<Double>]

    /// On a map; nil for fewer than 25 points, for which it is not defined.
    package init?(_ points: [SIMD2<Double>]) {
        guard points.count > 2 * Self.neighbours else { return nil }
        self.points = points
    }

    /// Σ (r − k) of a point. O(n).
    ///
    /// - Parameter scores: how near it is to each point in truth, larger is nearer; equally near are in their order.
    package func penalty(of point: Int, _ scores: ArraySlice<Float>) -> Int {
        let mark = { RankCounter.Mark(score: scores[scores.startIndex + $0], place: $0) }
        var counter = RankCounter(nearest(to: point).map(mark))
        // The neighbours themselves come before each other too.
        for other in points.indices where other != point { counter.count(mark(other)) }
        return counter.ahead.reduce(0) { $0 + max($1 + 1 - Self.neighbours, 0) }
    }

    /// By distance on the map. O(n).
    private func nearest(to point: Int) -> [Int] {
        var best: [(distance: Double, index: Int)] = []
        for index in points.indices where index != point {
            let offset = points[index] - points[point]
            let distance = (offset * offset).sum()
            if best.count == Self.neighbours, let last = best.last, distance >= last.distance { continue }
            if best.count == Self.neighbours { best.removeLast() }
            let place = best.firstIndex { $0.distance > distance } ?? best.count
            best.insert((distance, index), at: place)
        }
        return best.map(\.index)
    }

    /// From the sum of all points' penalties.
    package func value(penalty: Int) -> Double {
        let (n, k) = (Double(points.count), Double(Self.neighbours))
        return 1 - 2 * Double(penalty) / (n * k * (2 * n - 3 * k - 1))
    }
}
