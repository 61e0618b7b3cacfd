import Inference
import Randomness
import Tensor
import Testing
import Training

@Suite("Fresh weights, and what training drops")
struct InitializationTests {
    private static let configuration = ModelConfiguration(
        system: .unicat, modalities: [.rgb],
        backbone: .vit(.init(width: 64, depth: 3, heads: 4, mlpRatio: 1, patch: 8)),
        input: .init(height: 8, width: 8, mean: [.rgb: [0, 0, 0]], std: [.rgb: [1, 1, 1]]), identities: 200)

    @Test("classifiers are drawn narrowly, or as Kaiming He has it; nothing else changes")
    func classifiers() throws {
        let path = "classifiers.rgb.weight"
        let narrow = try WeightInitialization.weights(for: Self.configuration, seed: 3)
        let kaiming = try WeightInitialization.weights(for: Self.configuration, classifier: .kaiming, seed: 3)
        for (weights, deviation) in [(narrow, 0.001), (kaiming, (2.0 / 64).squareRoot())] {
            let scalars = try weights.tensor(path, shape: [200, 64]).scalars.map(Double.init)
            let found = (scalars.reduce(0) { $0 + $1 * $1 } / Double(scalars.count)).squareRoot()
            #expect(abs(found / deviation - 1) < 0.03, "\(found), expected \(deviation)")
        }
        for other in narrow.paths where other != path {
            #expect(narrow[other]?.scalars == kaiming[other]?.scalars, "\(other)")
        }
        #expect(kaiming["necks.rgb.weight"]?.scalars == [Float](repeating: 1, count: 64))
    }

    @Test("a modality's backbones are drawn apart")
    func networks() throws {
        var configuration = Self.configuration
        configuration.networks = 2
        let weights = try WeightInitialization.weights(for: configuration, seed: 3)
        let kernels = try (0..<2).map { try weights.tensor("encoders.rgb.\($0).patch_embed.proj.weight").scalars }
        #expect(kernels[0] != kernels[1])
    }

    @Test("drop path of a rate of 0 is none, and so it is outside training")
    func dropPath() throws {
        let weights = try WeightInitialization.weights(for: Self.configuration, seed: 3)
        let images = [Modality.rgb: SeededTensors.draw("input", [8, 8, 8, 3])]
        let embedding = { (dropPath: DropPath?) in
            try Self.configuration.makeSystem(
                ParameterScope(weights, mode: .training(dropout: nil, dropPath: dropPath))
            ).embed(images).scalars
        }
        let none = try embedding(nil)
        #expect(try embedding(DropPath(rate: 0, generator: SplitMix64(seed: 1))) == none)
        let dropping = DropPath(rate: 0.5, generator: SplitMix64(seed: 1))
        let before = dropping.state
        let dropped = try embedding(dropping)
        #expect(dropped != none && dropping.state != before)
        // Two numbers a sample in each block but the first.
        var generator = SplitMix64(seed: before)
        for _ in 0..<(2 * 2 * 8) { _ = generator.next() }
        #expect(generator.state == dropping.state)
        #expect(try embedding(DropPath(rate: 0.5, generator: SplitMix64(seed: 1))) == dropped)
    }
}
