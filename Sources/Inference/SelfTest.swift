import Randomness
import Tensor

/// A known answer that travels with a model: noise in, part of the embedding out. A server that computes another answer
/// has read other weights, or computes wrongly.
public enum SelfTest {
    /// The key under `training` in the configuration.
    public static let key = "self_test"
    /// Elements of the unit vector that are kept.
    private static let kept = 32
    /// The largest difference that is rounding.
    public static let tolerance = 1e-4

    /// An answer that differs.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The largest difference.
        public let difference: Double

        /// What was expected and what was found.
        public var description: String {
            "the self-test's embedding differs from the recorded one by \(difference), expected at most "
                + "\(SelfTest.tolerance)"
        }
    }

    /// A configuration that holds what these weights answer, in place of what others did. Blocks: call it on a compute
    /// thread. Throws `WeightsError` or `EncoderError`.
    public static func recorded(
        in configuration: ModelConfiguration, weights: Weights
    ) throws -> ModelConfiguration {
        let encoder = try MultimodalEncoder(configuration: configuration, weights: weights, model: "")
        var training = configuration.training?.object ?? [:]
        // Six digits: enough for the tolerance, and the same in every run.
        training[key] = .array(try answer(encoder).map { .number(($0 * 1e6).rounded() / 1e6) })
        var recorded = configuration
        recorded.training = .object(training)
        return recorded
    }

    /// Compares the answer with the one in the encoder's configuration, if there is one. Blocks: call it on a compute
    /// thread. Throws `Failure` or `EncoderError`.
    /// - Returns: the largest difference; nil if none was recorded.
    @discardableResult
    public static func check(_ encoder: MultimodalEncoder) throws -> Double? {
        guard let recorded = encoder.configuration.training?[key]?.array?.compactMap(\.number), !recorded.isEmpty
        else { return nil }
        let found = try answer(encoder)
        let difference =
            found.count == recorded.count
            ? zip(found, recorded).map { abs($0 - $1) }.max() ?? .infinity : .infinity
        guard difference <= tolerance else { throw Failure(difference: difference) }
        return difference
    }

    private static func answer(_ encoder: MultimodalEncoder) throws -> [Double] {
        let input = encoder.configuration.input
        let images = encoder.modalities.enumerated().map { index, modality in
            var generator = SplitMix64(seed: 1, stream: UInt64(index))
            let noise = (0..<(input.height * input.width * 3)).map { _ in generator.uniform(-1.5...1.5) }
            return (modality, Tensor(noise, shape: [1, input.height, input.width, 3]))
        }
        let embedding = try encoder.embed(batch: Dictionary(uniqueKeysWithValues: images))
        return Embedding.normalised(embedding)[0].prefix(kept).map(Double.init)
    }
}
