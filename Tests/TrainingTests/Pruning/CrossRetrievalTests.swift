import Foundation
import Imaging
import Inference
import Randomness
import Tensor
import Testing
import Training

@Suite("Queries of a pruned model among its parent's vectors")
struct CrossRetrievalTests {
    private static let identities = 60

    /// Two sightings of each identity by one camera and two by another; no image is opened.
    private static func images(_ camera: Int) -> SightingImages {
        let sightings = (0..<identities).flatMap { identity in
            (0..<2).map { number in
                TriplesDataset.Sighting(
                    name: "\(identity)_\(camera)_\(number)", identity: "\(identity)", camera: camera,
                    files: [.rgb: ImageFile(URL(fileURLWithPath: "/nowhere/\(identity).jpg"))])
            }
        }
        let input = ModelConfiguration.Input(height: 8, width: 8, mean: [:], std: [:])
        return SightingImages(sightings, Preprocessing(input), modalities: [.rgb])
    }

    private static let set = RankingSet(split: "query", queries: images(1), gallery: images(2), rule: .standard)

    /// Vectors of 32 elements in a narrow cone: what all have in common is long beside what tells identities apart. `turn` moves
    /// each vector by so much of that.
    private static func embedded(turn: Float) -> RankingSet.Embedded {
        let side = { (seed: UInt64) in
            Tensor(
                (0..<(2 * identities)).flatMap { index -> [Float] in
                    var own = SplitMix64(seed: 1, stream: UInt64(index / 2))
                    var noise = SplitMix64(seed: seed, stream: UInt64(index))
                    var turned = SplitMix64(seed: seed + 2, stream: UInt64(index))
                    return (0..<32).map { _ in
                        20 + own.normal() + 0.2 * noise.normal() + turn * turned.normal()
                    }
                }, shape: [2 * identities, 32])
        }
        return RankingSet.Embedded(queries: side(10), gallery: side(20))
    }

    @Test("a cosine near 1 says nothing where a space is narrow: what is found decides")
    func narrow() throws {
        let parent = Self.embedded(turn: 0)
        let near = EmbeddingSpace("p", parent: parent, child: Self.embedded(turn: 0.1), of: Self.set)
        let far = EmbeddingSpace("p", parent: parent, child: Self.embedded(turn: 2.5), of: Self.set)
        #expect(near.meanCosine > 0.99 && far.meanCosine > 0.98)
        let (good, bad) = (try #require(near.cross), try #require(far.cross))
        #expect(good.agreement.value == 1 && good.mAPLoss.value < 0.01 && good.objection(to: .init()) == nil)
        #expect(bad.agreement.value < 0.8 && bad.agreement.high < 0.95 && bad.mAPLoss.low > 0.05)
        let objection = try #require(bad.objection(to: .init()))
        #expect(objection.contains("first match") && objection.contains("mAP falls by"))
        #expect(objection.hasSuffix("(120 queries of 60 identities)"))
        // What is written is what is read.
        let written = try JSONDecoder().decode(CrossRetrieval.self, from: JSONEncoder().encode(bad))
        #expect(written == bad)
    }

    @Test(
        "intervals: Wilson's of the identities, never empty; the bootstrap's lies around the loss and is the same each time"
    )
    func intervals() throws {
        let parent = Self.embedded(turn: 0)
        let same = try #require(EmbeddingSpace("p", parent: parent, child: parent, of: Self.set).cross)
        // 60 / (60 + z²), the lower end of Wilson's interval of 60 in 60.
        #expect(same.agreement.value == 1 && abs(same.agreement.low - 60 / (60 + 1.959964 * 1.959964)) < 1e-9)
        #expect(same.mAPLoss == .init(value: 0, low: 0, high: 0))
        let child = Self.embedded(turn: 1.5)
        let found = try #require(EmbeddingSpace("p", parent: parent, child: child, of: Self.set).cross)
        #expect(found.mAPLoss.low < found.mAPLoss.value && found.mAPLoss.value < found.mAPLoss.high)
        #expect(found == EmbeddingSpace("p", parent: parent, child: child, of: Self.set).cross)
    }
}
