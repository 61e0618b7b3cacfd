import Foundation
import Imaging
import Inference
import Tensor
import Testing

/// What the reference computed, beside the weights it computed it from (Fixtures/make_graft.py).
struct GraFTFixture {
    let configuration: ModelConfiguration
    let weights: Weights
    let expected: [String: Tensor]

    init() throws {
        let file = try #require(
            Bundle.module.url(forResource: "graft", withExtension: "safetensors", subdirectory: "Fixtures"))
        let checkpoint = try Checkpoint.load(path: file.path)
        configuration = checkpoint.configuration
        expected = checkpoint.weights.tensors
        weights = checkpoint.weights.under("weights")
    }

    func tensor(_ name: String) throws -> Tensor { try #require(expected[name]) }

    /// The inputs of some modalities, [B, H, W, 3].
    func images(_ modalities: [Modality]) throws -> [Modality: Tensor] {
        try Dictionary(
            uniqueKeysWithValues: modalities.map { ($0, try tensor("input.\($0.rawValue)").transposed([0, 2, 3, 1])) })
    }

    static let subsets: [[Modality]] = [
        [.rgb], [.nir], [.tir], [.rgb, .nir], [.rgb, .tir], [.nir, .tir], [.rgb, .nir, .tir],
    ]
}

func expectClose(
    _ found: Tensor, _ expected: Tensor, absolute: Float = 0, relative: Float = 0, _ what: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(found.count == expected.count, "\(what)", sourceLocation: sourceLocation)
    let scale = expected.scalars.map(abs).max() ?? 0
    let worst = zip(found.scalars, expected.scalars).map { abs($0 - $1) }.max() ?? 0
    #expect(
        worst <= absolute + relative * scale, "\(what): off by \(worst), scale \(scale)", sourceLocation: sourceLocation
    )
}

@Suite("GraFT against the reference")
struct GraFTTests {
    private let fixture: GraFTFixture

    init() throws { fixture = try GraFTFixture() }

    @Test("embeddings of every subset of modalities agree", arguments: GraFTFixture.subsets)
    func embeddings(subset: [Modality]) throws {
        let encoder = try MultimodalEncoder(
            configuration: fixture.configuration, weights: fixture.weights, model: "fixture")
        let found = try encoder.embed(batch: fixture.images(subset))
        let expected = try fixture.tensor("embedding." + subset.map(\.rawValue).joined(separator: "+"))
        let pairs = zip(Embedding.normalised(found), Embedding.normalised(expected))
        for (a, b) in pairs {
            for (x, y) in zip(a, b) { #expect(abs(x - y) < 1e-5) }
        }
    }

    @Test("any modalities of a triple that was encoded whole make what they make alone")
    func subsets() async throws {
        let encoder = try MultimodalEncoder(
            configuration: fixture.configuration, weights: fixture.weights, model: "fixture")
        let images = Dictionary(
            uniqueKeysWithValues: [Modality.rgb, .nir, .tir].enumerated().map { number, modality in
                let pixels = (0..<(40 * 30 * 3)).map { UInt8(($0 * (7 + number) + $0 / 90 * 13) % 256) }
                return (modality, Image(width: 40, height: 30, channels: 3, pixels: pixels))
            })
        let together = try await encoder.embed(images)
        for subset in GraFTFixture.subsets {
            let alone = try await encoder.embed(images.filter { subset.contains($0.key) })
            let combined = Embedding(
                vectors: together.vectors.filter { subset.contains($0.key) }, combination: encoder.combination,
                order: encoder.modalities)
            #expect(alone.modalities == subset.sorted() && combined.modalities == alone.modalities)
            #expect(zip(alone.values, combined.values).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    @Test("a model built for training with dropout off gives the embeddings of one built for inference")
    func modes() throws {
        let training = try fixture.configuration.makeSystem(
            ParameterScope(fixture.weights, mode: .training(dropout: nil)))
        let found = training.embed(try fixture.images([.rgb, .nir, .tir]))
        expectClose(found, try fixture.tensor("embedding.rgb+nir+tir"), absolute: 1e-5, "embedding")
    }

    @Test("the training pass gives the reference's logits, data tokens and running statistics")
    func forward() throws {
        let statistics = RunningStatistics()
        let model = try fixture.configuration.makeSystem(
            ParameterScope(fixture.weights, mode: .training(dropout: nil, statistics: statistics)))
        let output = model(try fixture.images([.rgb, .nir, .tir]))
        expectClose(output.head("fused").logits[0], try fixture.tensor("logits"), relative: 1e-4, "logits")
        expectClose(try #require(output.data), try fixture.tensor("data"), relative: 1e-4, "data tokens")
        #expect(statistics.byPath.count == 2)
        for (path, value) in statistics.byPath {
            expectClose(value, try fixture.tensor("statistics.\(path)"), relative: 1e-4, path)
        }
    }

    @Test("frozen parameters are left off the tape")
    func freezing() throws {
        let scope = ParameterScope(fixture.weights, mode: .training(dropout: nil, frozen: ["backbone."]))
        let system = try fixture.configuration.makeSystem(scope)
        let found = gradients(of: system.embed(try fixture.images([.rgb, .tir])).squared().sum())
        #expect(!found.isEmpty)
        #expect(!found.keys.contains { $0.hasPrefix("backbone.") })
        #expect(!found.keys.contains { $0.hasPrefix("encoders.nir") })
        #expect(found["fusion_token"] != nil)
    }

    @Test("a weight that is missing or of another shape is named")
    func wrongWeights() throws {
        var weights = fixture.weights
        weights["backbone.blocks.1.mlp.fc1.weight"] = Tensor.zeros([2, 2])
        #expect {
            _ = try MultimodalEncoder(configuration: fixture.configuration, weights: weights, model: "wrong")
        } throws: { error in
            let message = "\(error)"
            return message.contains("backbone.blocks.1.mlp.fc1.weight") && message.contains("[2, 2]")
                && message.contains("[96, 24]")
        }
    }

    @Test("position embeddings fitted to other grids agree with PyTorch's bicubic", arguments: [(4, 3), (6, 8)])
    func positions(rows: Int, columns: Int) throws {
        let found = PositionEmbedding.resized(
            try fixture.tensor("positions.3x5"), prefix: 2, from: (3, 5), to: (rows, columns))
        expectClose(found, try fixture.tensor("positions.\(rows)x\(columns)"), absolute: 1e-5, "positions")
    }
}
