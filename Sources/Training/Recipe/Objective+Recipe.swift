import Documents
import Inference

extension Objective {
    /// Reads a stage's `loss`: each system has keys of its own. Throws `DocumentError`.
    init(_ loss: inout Fields, for model: ModelConfiguration) throws(DocumentError) {
        switch model.system {
        case .graft: self = .graft(try GraFTObjective(&loss, tokens: model.tokens))
        case .unicat, .fusionConcat, .fusionAverage: self = .identity(try IdentityObjective(&loss, isSquared: false))
        case .dmf: self = .identity(try IdentityObjective(&loss, isSquared: true))
        case .ieee: self = .ieee(try IEEEObjective(&loss))
        case .mixer: self = .mixer(try MixERObjective(&loss))
        }
    }
}

extension ModelConfiguration {
    /// Tokens that a transformer makes of an image.
    fileprivate var tokens: Int {
        guard case .vit(let vit) = backbone else { return 1 }
        let grid = vit.grid(height: input.height, width: input.width)
        return vit.prefix + grid.rows * grid.columns
    }
}

extension Fields {
    fileprivate mutating func weight(_ key: String, default value: Double) throws(DocumentError) -> Float {
        Float(try number(key, 0...1000) ?? value)
    }

    fileprivate mutating func smoothing() throws(DocumentError) -> Float {
        Float(try number("label_smoothing", 0...0.9) ?? 0)
    }
}

extension GraFTObjective {
    fileprivate init(_ loss: inout Fields, tokens: Int) throws(DocumentError) {
        self.init(
            triplet: try loss.weight("triplet", default: 0.5), center: try loss.weight("center", default: 0),
            crossEntropy: try loss.weight("cross_entropy", default: 0.5), labelSmoothing: try loss.smoothing(),
            combination: try loss.read("combination", .choice) ?? .ffd,
            dataToken: try loss.integer("data_token", 0...(tokens - 1)) ?? 0)
    }
}

extension IdentityObjective {
    fileprivate init(_ loss: inout Fields, isSquared: Bool) throws(DocumentError) {
        self.init(
            triplet: try loss.weight("triplet", default: 1),
            crossEntropy: try loss.weight("cross_entropy", default: 1), margin: try loss.weight("margin", default: 0),
            labelSmoothing: try loss.smoothing(), isSquared: isSquared)
    }
}

extension IEEEObjective {
    fileprivate init(_ loss: inout Fields) throws(DocumentError) {
        self.init(
            margin: try loss.weight("multi_modal_margin", default: 1),
            distance: try loss.weight("distance", default: 1),
            labelSmoothing: try loss.smoothing())
    }
}

extension MixERObjective {
    fileprivate init(_ loss: inout Fields) throws(DocumentError) {
        self.init(
            erased: try loss.weight("erased", default: 1), related: try loss.weight("related", default: 1),
            modality: try loss.weight("modality", default: 0.4),
            orthogonality: try loss.weight("orthogonality", default: 0.6),
            fused: try loss.weight("fused", default: 0.4),
            labelSmoothing: try loss.smoothing())
    }
}
