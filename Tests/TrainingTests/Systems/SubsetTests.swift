import Imaging
import Inference
import Tensor
import Testing
import Training

/// Systems in which modalities give each other something.
struct SubsetTests {
    private static let ieee = configuration(
        .ieee(.init(parts: 2, reduced: 16, partWidth: 8, attentionRatio: 16)),
        .resnet(.init(depth: 18, lastStride: 1)))
    private static let graft = configuration(
        .graft(.init(heads: 2, feedforward: 16, fusion: .vanillaCLS)),
        .vit(.init(width: 16, depth: 1, heads: 2, patch: 8)))

    private static func configuration(
        _ system: ModelConfiguration.System, _ backbone: ModelConfiguration.Backbone
    ) -> ModelConfiguration {
        ModelConfiguration(
            system: system, modalities: [.rgb, .nir, .tir], backbone: backbone,
            input: .init(
                height: 32, width: 32, mean: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]],
                std: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]]),
            identities: 2)
    }

    @Test(
        "a triple's vector of each set of its modalities is what these alone make, bit for bit",
        arguments: [(ieee, [16, 32, 48]), (graft, [16, 16, 16])])
    func sets(configuration: ModelConfiguration, sizes: [Int]) async throws {
        let weights = try WeightInitialization.weights(for: configuration, seed: 4)
        let encoder = try MultimodalEncoder(configuration: configuration, weights: weights, model: "m")
        let images = Dictionary(
            uniqueKeysWithValues: [Modality.rgb, .nir, .tir].enumerated().map { number, modality in
                let pixels = (0..<(32 * 32 * 3)).map { UInt8(($0 * (7 + number) + $0 / 90 * 13) % 256) }
                return (modality, Image(width: 32, height: 32, channels: 3, pixels: pixels))
            })
        let named = try await encoder.embed(images).named(order: encoder.modalities)
        #expect(encoder.interacts && named.count == 7)
        for (name, vector) in named { #expect(vector.count == sizes[name.count / 4]) }
        for (name, vector) in named {
            let set = Set(name.split(separator: "+").compactMap { Modality(rawValue: String($0)) })
            let alone = try await encoder.embed(images.filter { set.contains($0.key) })
            #expect(alone.named(order: encoder.modalities)[name] == vector, "\(name)")
            #expect(alone.named(order: encoder.modalities).count == (1 << set.count) - 1)
        }
        // What they would be without the others: they are not. And the whole is what is answered with.
        let whole = try #require(named["nir+rgb+tir"])
        #expect(Array(whole[..<16]) != named["rgb"])
        let answer = try await encoder.embed(images).values
        let length = whole.reduce(0) { $0 + $1 * $1 }.squareRoot()
        #expect(zip(whole, answer).allSatisfy { abs($0 / length - $1) < 1e-5 })
    }
}
