import Foundation
import Inference
import Similarity
import Tensor
import Testing
import Training

/// Golden numbers of Fixtures/make_evaluation.py.
struct EvaluationGolden: Decodable {
    struct Metrics: Decodable {
        let mAP: Double, mINP: Double, r1: Double, r5: Double, r10: Double
        let skipped: Int
    }

    struct Reranked: Decodable {
        let distances: [[Double]]
        let metrics: Metrics
    }

    struct Cell: Decodable {
        let query: Int, gallery: Int, skipped: Int
        let mAP: Double, mINP: Double, r1: Double
    }

    struct OpenSet: Decodable {
        struct Point: Decodable {
            let rate: Double, missed: Double, missedAtRank1: Double
            let threshold: Float
            let falsePositives: Int
            /// Of threshold, FNIR, FNIR at rank 1.
            let low: [Double], high: [Double]
        }

        struct CurvePoint: Decodable {
            let threshold: Float
            let falsePositiveRate: Double, missed: Double
        }

        let removed: Int, mated: Int, unmated: Int, gallery: Int
        let points: [Point]
        let curve: [CurvePoint]
    }

    struct Comparison: Decodable {
        let system: String
        let query: [String], gallery: [String]
        let scores: [[Double]]?
    }

    let cosine: Metrics, euclidean: Metrics, small: Metrics
    let reranked: Reranked
    let cameras: [Cell]
    let openSet: OpenSet
    let parts: [String: [[Double]]]
    let table: [Comparison]

    static func load() throws -> EvaluationGolden { try Fixture.json("evaluation.json") }
    static func task() throws -> EncodedTask {
        try EmbeddingFile(path: Fixture.url("embeddings.safetensors").path).task
    }
}

extension RetrievalMetrics {
    /// Whether these are the reference's to 1e-9.
    fileprivate func agrees(_ golden: EvaluationGolden.Metrics) -> Bool {
        let pairs = [
            (mAP, golden.mAP), (mINP, golden.mINP), (rank1, golden.r1), (rank5, golden.r5), (rank10, golden.r10),
        ]
        return skipped == golden.skipped && pairs.allSatisfy { abs($0 - $1) < 1e-9 }
    }
}

@Suite("Evaluation beside the reference")
struct GoldenEvaluationTests {
    @Test("embeddings of a file: metrics with ties, by the cosine, by Euclid's distance, and re-ranked")
    func metrics() throws {
        let (golden, task) = (try EvaluationGolden.load(), try EvaluationGolden.task())
        #expect(golden.cosine.skipped > 0 && golden.reranked.metrics.mAP != golden.cosine.mAP)
        #expect(task.result().metrics.agrees(golden.cosine))
        #expect(task.result(RankingMethod(distance: .euclidean)).metrics.agrees(golden.euclidean))
        #expect(task.result(RankingMethod(reranking: KReciprocal())).metrics.agrees(golden.reranked.metrics))
        var few = KReciprocal()
        (few.k1, few.k2, few.weight) = (5, 1, 0.5)
        #expect(task.result(RankingMethod(reranking: few)).metrics.agrees(golden.small))
    }

    @Test("re-ranked distances are the reference's, from vectors and from distances alike")
    func reranking() throws {
        let (golden, task) = (try EvaluationGolden.load().reranked.distances, try EvaluationGolden.task())
        var found = [[Double]](repeating: [], count: golden.count)
        task.visit(RankingMethod(reranking: KReciprocal())) { found[$0] = $1 }
        for (row, expected) in zip(found, golden) {
            #expect(row.count == expected.count && zip(row, expected).allSatisfy { abs($0 - $1) < 1e-9 })
        }
        var squared: [[Double]] = []
        let all = EncodedTask(
            name: "all", queries: task.queries.appending(task.galleries[0]),
            galleries: [task.queries.appending(task.galleries[0])])
        all.visit { squared.append($1.map { 2 + $0 }) }
        let given = RerankedDistances(
            KReciprocal(), all: GivenDistances(squared), queries: GivenDistances(Array(squared[..<golden.count])))
        given.visit { query, row in #expect(zip(row, golden[query]).allSatisfy { abs($0 - $1) < 1e-9 }) }
    }

    @Test("each camera's queries against what each camera saw")
    func cameras() throws {
        var plan = EvaluationPlan()
        plan.comparesCameras = true
        let evaluation = try Evaluation([try EvaluationGolden.task()], plan)
        let table = try #require(evaluation.cameraTables?.first)
        let golden = try EvaluationGolden.load().cameras
        #expect(table.queries == [1, 2, 3] && table.gallery == [1, 2, 3] && table.cells.count == golden.count)
        for (cell, expected) in zip(table.cells, golden) {
            #expect(cell.query == expected.query && cell.gallery == expected.gallery)
            #expect(cell.metrics.skipped == expected.skipped && abs(cell.metrics.mAP - expected.mAP) < 1e-9)
            #expect(abs(cell.metrics.mINP - expected.mINP) < 1e-9 && abs(cell.metrics.rank1 - expected.r1) < 1e-9)
            #expect(cell.metrics.queries == 0 || cell.query != cell.gallery)
        }
    }

    @Test("open-set identification: who is taken out, thresholds, errors, intervals and the curve")
    func openSet() throws {
        var plan = EvaluationPlan()
        plan.openSet = OpenSetPlan(removed: 0.4, rates: [0, 0.1, 0.3], seed: 7)
        plan.openSet?.resamples = 200
        let found = try #require(try Evaluation([try EvaluationGolden.task()], plan).openSets?.first)
        let golden = try EvaluationGolden.load().openSet
        #expect(found.removedIdentities == golden.removed && found.gallery.items == golden.gallery)
        #expect(found.mated.items == golden.mated && found.unmated.items == golden.unmated)
        #expect(found.points.count == golden.points.count)
        for (point, expected) in zip(found.points, golden.points) {
            #expect(point.point.threshold == expected.threshold && point.falsePositives == expected.falsePositives)
            #expect(abs(point.point.falseNegativeRate - expected.missed) < 1e-9)
            #expect(abs(point.point.falseNegativeRateAtRank1 - expected.missedAtRank1) < 1e-9)
            let ranges = [point.threshold, point.falseNegativeRate, point.falseNegativeRateAtRank1]
            #expect(zip(ranges.map(\.low), expected.low).allSatisfy { abs($0 - $1) < 1e-9 })
            #expect(zip(ranges.map(\.high), expected.high).allSatisfy { abs($0 - $1) < 1e-9 })
        }
        // The golden curve is at every score of a search without a mate: at its end both match all, and between them just above.
        let (last, all) = (try #require(found.curve.last), try #require(golden.curve.first))
        #expect(last.threshold == all.threshold && last.falsePositiveRate == 1 && last.falseNegativeRate == all.missed)
        #expect(found.curve.first?.falsePositiveRate == 0 && found.curve.count <= 102)
        for (point, next) in zip(found.curve, found.curve.dropFirst()) {
            #expect(point.threshold > next.threshold && point.falsePositiveRate < next.falsePositiveRate)
            #expect(point.falseNegativeRate >= next.falseNegativeRate)
        }
        let svg = OpenSetChart([found]).svg
        #expect(svg.hasPrefix("<svg") && svg.contains("FPIR, percent") && !svg.contains("nan"))
    }

    @Test("sets of modalities: the scores of comparison.py, and none where blocks share nothing")
    func sets() throws {
        let golden = try EvaluationGolden.load()
        #expect(golden.table.count == 147 && golden.table.contains { $0.scores == nil })
        for cell in golden.table {
            let query = try items(golden, cell.system, cell.query, 0..<3)
            let gallery = try items(golden, cell.system, cell.gallery, 3..<5)
            #expect(query.isComparable(with: gallery) == (cell.scores != nil))
            VectorComparison(query, gallery).visit { row, distances in
                for (column, distance) in distances.enumerated() {
                    guard let scores = cell.scores else {
                        #expect(distance == .infinity)
                        continue
                    }
                    #expect(
                        abs(-distance / 2 - scores[row][column]) < 1e-5, "\(cell.system) \(cell.query) \(cell.gallery)")
                }
            }
        }
    }

    private func items(
        _ golden: EvaluationGolden, _ system: String, _ set: [String], _ range: Range<Int>
    ) throws -> EncodedItems {
        var rows: [Set<Modality>: Tensor] = [:]
        for (name, vectors) in golden.parts {
            let own = Set(name.split(separator: "+").compactMap { Modality(rawValue: String($0)) })
            guard own.isSubset(of: set.compactMap(Modality.init(rawValue:))), system == "ieee" || own.count == 1 else {
                continue
            }
            let elements = vectors[range].flatMap { $0.map(Float.init) }
            rows[own] = Tensor(elements, shape: [range.count, elements.count / range.count])
        }
        let order = [Modality.rgb, .nir, .tir].filter { set.contains($0.rawValue) }
        let vectors = PartVectors(system == "graft" ? .sum : .blocks, order, rows)
        let members = Array(0..<range.count)
        return EncodedItems(
            items: members.map { .init(identity: "\($0)", camera: 0) }, places: members, leftOut: 0,
            groups: [.init(members: members, modalities: set.joined(separator: "+"), models: [vectors])])
    }
}
