import Randomness
import Tensor
import Testing
import Training

@Suite("Retrieval metrics")
struct EvaluationTests {
    private struct Golden: Decodable {
        struct Expected: Decodable {
            let mAP: Double
            let mINP: Double
            let skipped: Int
            let r1: Double
            let r5: Double
            let r10: Double
        }

        let distance: [[Double]]
        let queryIdentity: [Int]
        let galleryIdentity: [Int]
        let queryCamera: [Int]
        let galleryCamera: [Int]
        let expected: Expected
    }

    @Test("metrics agree with the reference, ties, exclusions and skipped queries included")
    func golden() throws {
        let golden = try Fixture.json("metrics.json", as: Golden.self)
        let gallery = zip(golden.galleryIdentity, golden.galleryCamera).map {
            RetrievalMetrics.Item(identity: "\($0)", camera: $1)
        }
        let rankings = golden.distance.enumerated().map { index, row in
            let order = row.indices.sorted { (row[$0], $0) < (row[$1], $1) }
            let query = RetrievalMetrics.Item(
                identity: "\(golden.queryIdentity[index])", camera: golden.queryCamera[index])
            return (query: query, ranked: order.map { gallery[$0] })
        }
        let found = RetrievalMetrics(rankings: rankings)
        #expect(abs(found.mAP - golden.expected.mAP) < 1e-9)
        #expect(abs(found.mINP - golden.expected.mINP) < 1e-9)
        #expect(found.skipped == golden.expected.skipped)
        #expect(found.skipped > 0)
        #expect(abs(found.rank1 - golden.expected.r1) < 1e-9)
        #expect(abs(found.rank5 - golden.expected.r5) < 1e-9)
        #expect(abs(found.rank10 - golden.expected.r10) < 1e-9)
    }

    @Test("orders go from near to far, and ties keep gallery order")
    func orders() {
        let queries = Tensor([1, 0, 0, 2], shape: [2, 2])
        let gallery = Tensor([0, 3, 5, 0, 1, 1, 9, 0], shape: [4, 2])
        #expect(Ranking.orders(queries: queries, gallery: gallery) == [[1, 3, 2, 0], [0, 2, 1, 3]])
        #expect(Ranking.orders(queries: queries, gallery: gallery, .euclidean) == [[2, 0, 1, 3], [0, 2, 1, 3]])
    }

    @Test("distances agree with double precision, in blocks of any size")
    func distances() {
        var generator = SplitMix64(seed: 9)
        let (q, g, width) = (7, 41, 133)
        let queries = (0..<q).map { _ in (0..<width).map { _ in generator.uniform(-1...1) } }
        let gallery = (0..<g).map { _ in (0..<width).map { _ in generator.uniform(-1...1) } }
        let tensors = [queries, gallery].map { Tensor($0.flatMap { $0 }, shape: [$0.count, width]) }
        for distance in Ranking.Distance.allCases {
            for block in [1, 100, 1 << 20] {
                let matrix = DistanceMatrix(gallery: tensors[1], distance, blockElements: block)
                let keys = matrix.rows(tensors[0]).flatMap { $0 }
                #expect(keys.count == q * g)
                for (row, query) in queries.enumerated() {
                    for (column, item) in gallery.enumerated() {
                        let sum = { (pairs: Zip2Sequence<[Float], [Float]>) in
                            pairs.reduce(0) { $0 + Double($1.0) * Double($1.1) }
                        }
                        let (product, a, b) = (sum(zip(query, item)), sum(zip(query, query)), sum(zip(item, item)))
                        let expected = distance == .cosine ? -2 * product / (a * b).squareRoot() : b - 2 * product
                        #expect(abs(Double(keys[row * g + column]) - expected) < 1e-4)
                    }
                }
            }
        }
    }

    @Test("a random order ranks every item once")
    func random() {
        let orders = Ranking.random(queries: 3, gallery: 50, seed: 4)
        #expect(orders.count == 3)
        #expect(orders.allSatisfy { $0.sorted() == Array(0..<50) })
        #expect(orders[0] != orders[1])
    }
}
