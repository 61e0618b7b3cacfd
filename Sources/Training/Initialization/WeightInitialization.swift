import Inference
import Randomness
import Synchronization
import Tensor

/// Weights for a model that has none yet.
public enum WeightInitialization {
    /// How classifiers are drawn.
    public enum Classifier: String, CaseIterable, Sendable {
        /// With a standard deviation of 0.001, as the field's toolboxes do (Luo et al., 2019).
        case narrow
        /// With a variance of 2 / inputs (He et al., 2015, eq. 10), as UniCat has it (appendix B).
        case kaiming
    }

    /// Draws every tensor that building the model asks for. Each has a stream of its own, so that adding a layer does not
    /// change the others.
    ///
    /// As PyTorch's modules do by default, but for the backbone's linear layers, which are drawn with standard deviation
    /// 0.02 as timm does: they train better from nothing. Throws `EncoderError.unsupported` without a
    /// number of identities.
    ///
    /// - Parameters:
    ///   - configuration: of the model.
    ///   - classifier: how its classifiers are drawn. Necks begin as batch norms do, however that is.
    ///   - seed: of what is drawn.
    public static func weights(
        for configuration: ModelConfiguration, classifier: Classifier = .narrow, seed: UInt64
    ) throws -> Weights {
        let drawn = Mutex(Weights())
        let scope = ParameterScope(mode: .training(dropout: nil)) { path, shape in
            let tensor = draw(path, shape, classifier, seed: seed)
            drawn.withLock { $0[path] = tensor }
            return tensor
        }
        _ = try configuration.makeSystem(scope)
        return drawn.withLock { $0 }
    }

    private static func draw(_ path: String, _ shape: Shape, _ classifier: Classifier, seed: UInt64) -> Tensor {
        var generator = SplitMix64(seed: seed, stream: hash(path))
        switch distribution(path, shape, classifier) {
        case .constant(let value): return Tensor(repeating: value, shape: shape)
        case .normal(let deviation):
            return Tensor((0..<shape.count).map { _ in generator.normal() * deviation }, shape: shape)
        case .uniform(let bound):
            return Tensor((0..<shape.count).map { _ in generator.uniform(-bound...bound) }, shape: shape)
        }
    }

    private enum Distribution {
        case constant(Float)
        case normal(Float)
        case uniform(Float)
    }

    private static func distribution(_ path: String, _ shape: Shape, _ classifier: Classifier) -> Distribution {
        let name = path.split(separator: ".").last ?? ""
        if path.hasSuffix("fusion_token") {  // Xavier, on PyTorch's reading of [1, k, D]: fans k·D and D.
            return .uniform((6 / Float((shape[1] + 1) * shape[2])).squareRoot())
        }
        if path.hasPrefix("text_embed") { return .normal(1) }
        if name.hasSuffix("_token") || name.hasSuffix("pos_embed") { return .normal(0.02) }
        if name == "running_var" { return .constant(1) }
        if name == "weight", shape.rank == 1 { return .constant(1) }  // Norms.
        if shape.rank == 1 { return .constant(0) }  // Biases and means.
        if path.contains("classifier") {
            return .normal(classifier == .narrow ? 0.001 : (2 / Float(shape[1])).squareRoot())
        }
        if name == "in_proj_weight" { return .uniform((6 / Float(shape[0] + shape[1])).squareRoot()) }
        if path.contains("blocks."), shape.rank == 2 { return .normal(0.02) }
        return .uniform(1 / Float(shape.count / shape[0]).squareRoot())
    }

    /// FNV-1a: a hash that is the same in every run.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }
}
