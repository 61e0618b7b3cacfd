import Foundation
import Inference
import Randomness
import Testing
import Training

/// Golden numbers of Fixtures/make_protocols.py.
@Suite("What benchmarks rank, and how they count")
struct BenchmarkProtocolTests {
    private struct Golden: Decodable {
        struct Expected: Decodable {
            let mAP: Double, mINP: Double, r1: Double, r5: Double, r10: Double
            let skipped: Int
            let deduplicated: Bool
        }

        struct Draws: Decodable {
            let seed: UInt32
            let choices: [Int]
            let samples: [[Int]]
        }

        let distance: [[Double]]
        let queryIdentity: [Int], galleryIdentity: [Int]
        let queryCamera: [Int], galleryCamera: [Int]
        let queryScene: [Int], galleryScene: [Int]
        let expected: [String: Expected]
        let draws: [Draws]
    }

    @Test("metrics by each rule are the reference's; CMC over identities where the benchmark counts so")
    func golden() throws {
        let golden = try Fixture.json("protocols.json", as: Golden.self)
        #expect(golden.expected.count == 4)
        for (name, expected) in golden.expected {
            let item = { (identity: Int, camera: Int, scene: Int) in
                RetrievalMetrics.Item(identity: "\(identity)", camera: camera, scene: "\(scene)")
            }
            let gallery = golden.galleryIdentity.indices.map {
                item(golden.galleryIdentity[$0], golden.galleryCamera[$0], golden.galleryScene[$0])
            }
            let rankings = golden.distance.enumerated().map { index, row in
                let order = row.indices.sorted { (row[$0], $0) < (row[$1], $1) }
                let query = item(golden.queryIdentity[index], golden.queryCamera[index], golden.queryScene[index])
                return (query: query, ranked: order.map { gallery[$0] })
            }
            let rule = try #require(RetrievalProtocol(rawValue: name))
            let found = RetrievalMetrics(
                rankings: rankings, protocol: rule, isDeduplicated: expected.deduplicated)
            #expect(abs(found.mAP - expected.mAP) < 1e-9 && abs(found.mINP - expected.mINP) < 1e-9, "\(name)")
            #expect(found.skipped == expected.skipped && found.queries + found.skipped == golden.distance.count)
            let ranks = [(found.rank1, expected.r1), (found.rank5, expected.r5), (found.rank10, expected.r10)]
            #expect(ranks.allSatisfy { abs($0 - $1) < 1e-9 }, "\(name)")
        }
    }

    @Test("galleries are drawn as Python's random draws them")
    func draws() throws {
        for draws in try Fixture.json("protocols.json", as: Golden.self).draws {
            var generator = MersenneTwister(seed: draws.seed)
            #expect([20, 7, 1, 33, 16].map { generator.index(below: $0) } == draws.choices)
            generator = MersenneTwister(seed: draws.seed)
            #expect([20, 7, 40].map { generator.sample(Array(0..<$0), 10) } == draws.samples)
        }
    }

    @Test("a scene decides where both have one, otherwise the camera")
    func scenes() {
        let query = RetrievalMetrics.Item(identity: "a", camera: 1, scene: "x")
        let ranks = { (identity: String, camera: Int, scene: String?) in
            RetrievalProtocol.scene.ranks(.init(identity: identity, camera: camera, scene: scene), for: query)
        }
        #expect(!ranks("a", 2, "x") && ranks("a", 1, "y") && !ranks("a", 1, nil) && ranks("a", 2, nil))
        #expect(ranks("b", 1, "x"))
    }

    @Test("a result says what was ranked, and how far trials are apart")
    func results() throws {
        let sighting = { (name: String, identity: String, camera: Int, modality: Modality) in
            TriplesDataset.Sighting(
                name: name, identity: identity, camera: camera,
                files: [modality: ImageFile(URL(fileURLWithPath: "/\(name)"))])
        }
        let queries = [sighting("q", "a", 3, .nir), sighting("r", "z", 3, .nir)]
        let (right, wrong) = (sighting("g", "a", 1, .rgb), sighting("h", "b", 1, .rgb))
        let task = RetrievalTask(
            name: "t", queries: queries, galleries: [[right], [right, wrong], [wrong, right]], rule: .sysu,
            isDeduplicated: true)
        #expect(task.isCrossModal)
        let result = RetrievalResult.random(task)
        #expect(result.galleries == [1, 2, 2] && result.queries == 2 && result.isDeduplicated)
        #expect(result.metrics.queries == 1 && result.metrics.skipped == 1)
        #expect(result.notRanked == "images of camera 2 for queries of camera 3")
        // A certain hit and two orders of two items by chance, the first of which is right or wrong.
        let (mean, deviation) = (result.metrics.rank1, try #require(result.deviation).rank1)
        let rights = (mean * 3).rounded()
        #expect(abs(mean - rights / 3) < 1e-9 && rights >= 1)
        let squares = rights * (1 - mean) * (1 - mean) + (3 - rights) * mean * mean
        #expect(abs(deviation - (squares / 2).squareRoot()) < 1e-9)
    }

    @Test("a model a trial: means over the models, with how far they are apart")
    func models() throws {
        let sighting = { (identity: String, modality: Modality) in
            TriplesDataset.Sighting(
                name: identity, identity: identity, camera: 1,
                files: [modality: ImageFile(URL(fileURLWithPath: "/\(identity)"))])
        }
        let trials = [["a"], ["a", "b"]].map { gallery in
            [
                RetrievalResult.random(
                    RetrievalTask(
                        name: "rgb to tir", queries: [sighting("a", .rgb)],
                        galleries: [gallery.map { sighting($0, .tir) }], rule: .everything))
            ]
        }
        let combined = try #require(RetrievalResult.combined(trials).first)
        #expect(combined.task == "rgb to tir" && combined.galleries == [1, 2])
        let second = trials[1][0].metrics.mAP
        #expect(combined.metrics.mAP == (1 + second) / 2)
        #expect(abs(try #require(combined.deviation).mAP - abs(1 - second) / 2.0.squareRoot()) < 1e-12)
        #expect(trials[0][0].deviation == nil)
    }
}
