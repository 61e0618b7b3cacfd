import Foundation
import Gallery
import Mapping
import Testing

@Suite("Layout of a map")
struct LayoutTests {
    @Test("Trustworthiness is that of scikit-learn")
    func trustworthiness() throws {
        let golden = try AnalysisGolden.load()
        let measure = try #require(Trustworthiness(golden.positions.map { SIMD2($0[0], $0[1]) }))
        let penalty = golden.points.indices.reduce(0) { sum, point in
            let scores = golden.points.map { other in
                zip(golden.points[point], other).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            }
            return sum + measure.penalty(of: point, scores[...])
        }
        #expect(abs(measure.value(penalty: penalty) - golden.trustworthiness) < 1e-12)
        #expect(Trustworthiness([SIMD2<Double>](repeating: SIMD2(), count: 24)) == nil)
    }

    @Test("Neighbours are as likely as scikit-learn has it, and symmetric over all")
    func affinities() throws {
        let golden = try AnalysisGolden.load()
        for (squared, expected) in zip(golden.squared, golden.conditional) {
            let found = NeighbourGraph.conditional(squared, 10)
            #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-4 })
        }
        let nearest = (0..<20).map { point in
            (1...6).map { NeighbourGraph.Neighbour(point: Int32((point + $0 * $0) % 20), squared: Double($0) / 10) }
        }
        let graph = NeighbourGraph(nearest, perplexity: 3)
        let weights = graph.edges.flatMap { $0 }.map(\.weight)
        #expect(abs(weights.reduce(0, +) - 1) < 1e-12)
        for (point, edges) in graph.edges.enumerated() {
            for edge in edges {
                let back = graph.edges[Int(edge.point)].first { $0.point == Int32(point) }
                #expect(back?.weight == edge.weight)
            }
        }
    }

    @Test(
        "The tree's sums are nearly those over all points, and exactly so for those that are one",
        arguments: [2, 7, 500])
    func repulsion(count: Int) {
        var generator = SeededGenerator(seed: 2)
        var points = (0..<count).map { _ in SIMD2(Double(generator.normal()), Double(generator.normal())) * 10 }
        points[1] = points[0]
        let tree = QuadTree(points)
        for point in points {
            var (force, sum) = (SIMD2<Double>(), -1.0)
            for other in points {
                let offset = point - other
                let kernel = 1 / (1 + (offset * offset).sum())
                sum += kernel
                force += offset * kernel * kernel
            }
            let found = tree.repulsion(on: point)
            let error = found.force - force
            #expect(abs(found.sum - sum) <= 0.02 * sum + 1e-12)
            #expect((error * error).sum().squareRoot() <= 0.05 * sum + 1e-12)
        }
    }

    @Test("A first layout is the vectors' principal components, if all are landmarks")
    func principal() {
        var generator = SeededGenerator(seed: 5)
        // In a plane of ten dimensions, much wider than high.
        let (a, b) = (generator.unitVector(10), generator.unitVector(10))
        let flat = (0..<30).map { _ in (Double(generator.normal()) * 5, Double(generator.normal())) }
        let vectors = flat.map { x, y in zip(a, b).map { Double($0) * x + Double($1) * y } }
        let scores = vectors.map { row in vectors.map { Float(zip(row, $0).reduce(0) { $0 + $1.0 * $1.1 }) } }
        let layout = LandmarkLayout(scores)
        let positions = scores.map(layout.position)
        for (i, j) in [(0, 1), (3, 17), (29, 4)] {
            let truth = zip(vectors[i], vectors[j]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
            let offset = positions[i] - positions[j]
            #expect(abs((offset * offset).sum().squareRoot() - truth) < 1e-3)
        }
        let spread = positions.reduce(SIMD2<Double>()) { $0 + $1 * $1 }
        #expect(spread.x > spread.y && abs(positions.reduce(SIMD2<Double>(), +).sum()) < 1e-3)
    }
}
