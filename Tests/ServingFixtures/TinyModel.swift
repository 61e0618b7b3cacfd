import Documents
import Foundation
import Inference
import Tensor
import Threads
import Training

/// Checkpoints of a very small model with random weights.
package enum TinyModel {
    package static let configuration = ModelConfiguration(
        system: .unicat, modalities: [.rgb, .nir, .tir],
        backbone: .vit(.init(width: 16, depth: 1, heads: 2, patch: 8)),
        input: .init(
            height: 16, width: 16, mean: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]],
            std: [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]]),
        identities: 2)

    /// The bytes of a file, and the model's name.
    ///
    /// - Parameters:
    ///   - seed: of the weights.
    ///   - test: the seed of the weights that answered the self-test.
    ///   - pruning: for the configuration.
    ///   - precision: of the weights that can be narrow.
    ///   - configuration: what the model is.
    package static func file(
        seed: UInt64, test: UInt64? = nil, pruning: JSONValue? = nil, precision: Precision = .float32,
        configuration: ModelConfiguration = Self.configuration
    ) async throws -> (data: Data, model: String) {
        var configuration = configuration
        let tested = try weights(of: configuration, seed: test ?? seed, precision)
        configuration = try await ComputeThread.shared.run { [configuration] in
            try SelfTest.recorded(in: configuration, weights: tested)
        }
        configuration.pruning = pruning
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("tiny-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let weights = try weights(of: configuration, seed: seed, precision)
        let digest = try Checkpoint.save(configuration: configuration, weights: weights, to: path)
        return (try Data(contentsOf: URL(fileURLWithPath: path)), digest)
    }

    private static func weights(
        of configuration: ModelConfiguration, seed: UInt64, _ precision: Precision
    ) throws -> Weights {
        var weights = try WeightInitialization.weights(for: configuration, seed: seed)
        weights.narrow(try configuration.narrowableWeights(in: weights), to: precision)
        return weights
    }
}
