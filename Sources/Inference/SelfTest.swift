import Imaging
import Randomness
import Tensor

/// A known answer that travels with a model: noise in, part of the embedding out. A server that computes another answer
/// has read other weights, or computes wrongly.
public enum SelfTest {
    /// The key under `training` in the configuration.
    public static let key = "self_test"
    /// Elements of the unit vector that are kept.
    private static let kept = 32
    /// The largest difference of an element that is rounding.
    public static let tolerance = 1e-4
    /// The same of a model with narrow weights, or of one that is computed so, relative to the length of what was recorded: a
    /// sum that rounds another way on another processor moves a code by one. It is a cosine of 0.9995.
    public static let narrowTolerance = 0.03

    /// An answer that differs.
    public struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
        /// The difference.
        public let difference: Double
        /// The largest that passes.
        public let tolerance: Double
        /// In which the answer was computed.
        public let precision: Precision

        /// What was expected and what was found.
        public var description: String {
            "the self-test's embedding, computed in \(precision.rawValue), differs from the recorded one by \(difference), "
                + "expected at most \(tolerance)"
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
    /// - Returns: the difference; nil if no answer was recorded.
    @discardableResult
    public static func check(_ encoder: MultimodalEncoder) throws -> Double? {
        guard let recorded = encoder.configuration.training?[key]?.array?.compactMap(\.number), !recorded.isEmpty
        else { return nil }
        let found = try answer(encoder)
        let isNarrow = encoder.precision != .float32
        let difference = difference(found, recorded, isRelative: isNarrow)
        let tolerance = isNarrow ? narrowTolerance : tolerance
        guard difference <= tolerance else {
            throw Failure(difference: difference, tolerance: tolerance, precision: encoder.precision)
        }
        return difference
    }

    private static func difference(_ found: [Double], _ recorded: [Double], isRelative: Bool) -> Double {
        guard found.count == recorded.count else { return .infinity }
        let differences = zip(found, recorded).map(-)
        guard isRelative else { return differences.map(abs).max() ?? .infinity }
        let length = { (values: [Double]) in values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        return length(differences) / max(length(recorded), .leastNormalMagnitude)
    }

    /// An embedding that no gallery can rank by.
    public struct Unsound: Error, Equatable, Sendable, CustomStringConvertible {
        /// What was encoded.
        public enum Input: String, Sendable {
            case white = "a white triple"
            case noise = "noise"
            case text = "a text"
        }

        /// What was encoded.
        public let input: Input
        /// From which modalities; none for a text.
        public let modalities: [Modality]
        /// What was found.
        public let found: String

        /// An embedding as found.
        public init(input: Input, modalities: [Modality], found: String) {
            (self.input, self.modalities, self.found) = (input, modalities, found)
        }

        /// What was expected and what was found.
        public var description: String {
            let names = modalities.isEmpty ? "" : " (" + modalities.map(\.rawValue).joined(separator: ", ") + ")"
            return "the embedding of \(input.rawValue)\(names): expected finite numbers, not all zero, found \(found)"
        }
    }

    /// Encodes a white triple and noise, and if the model reads texts a word: each vector, of a modality and of all, must have finite elements that are not all zero. Costs two triples and a short text. Blocks: call it
    /// on a compute thread. Throws `Unsound` or `EncoderError`.
    public static func checkOutputs(_ encoder: MultimodalEncoder) throws {
        let input = encoder.configuration.input
        let white = Image(
            width: input.width, height: input.height, channels: 3,
            pixels: [UInt8](repeating: 255, count: input.width * input.height * 3))
        let noise = noise(encoder).map { modality, noise in
            (modality, Tensor.concatenated([Preprocessing(input).tensor([white], modality), noise], axis: 0))
        }
        let images = Dictionary(uniqueKeysWithValues: noise)
        let vectors = encoder.vectors(batch: images)
        let each = vectors.sorted { $0.key < $1.key }.map { ($1, [$0]) }
        for (rows, modalities) in each + [(encoder.combined(vectors), encoder.modalities)] {
            for (row, input) in [Unsound.Input.white, .noise].enumerated() {
                try check(rows.sliced(axis: 0, row..<(row + 1)), of: input, modalities)
            }
        }
        if let word = encoder.embedFirstWord() { try check(word, of: .text, []) }
    }

    private static func check(_ row: Tensor, of input: Unsound.Input, _ modalities: [Modality]) throws {
        let found = row.withUnsafeScalars { scalars -> String? in
            if let index = scalars.firstIndex(where: { !$0.isFinite }) { return "\(scalars[index]) at index \(index)" }
            return scalars.allSatisfy { $0 == 0 } ? "zeros" : nil
        }
        // The norm of finite numbers may still overflow, and unit vectors of it would not be any.
        let unit = Embedding.normalised(row)[0]
        if let found = found ?? (unit.allSatisfy(\.isFinite) && unit.contains { $0 != 0 } ? nil : "no unit vector") {
            throw Unsound(input: input, modalities: modalities, found: found)
        }
    }

    private static func answer(_ encoder: MultimodalEncoder) throws -> [Double] {
        Embedding.normalised(try encoder.embed(batch: noise(encoder)))[0].prefix(kept).map(Double.init)
    }

    /// What everybody can draw again, by modality.
    private static func noise(_ encoder: MultimodalEncoder) -> [Modality: Tensor] {
        let input = encoder.configuration.input
        let images = encoder.modalities.enumerated().map { index, modality in
            var generator = SplitMix64(seed: 1, stream: UInt64(index))
            let noise = (0..<(input.height * input.width * 3)).map { _ in generator.uniform(-1.5...1.5) }
            return (modality, Tensor(noise, shape: [1, input.height, input.width, 3]))
        }
        return Dictionary(uniqueKeysWithValues: images)
    }
}
