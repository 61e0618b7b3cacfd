import Tensor

/// One backbone a modality, fused at the end: UniCat (each modality its own neck, classifier and loss; concatenated only for
/// inference), Fusion-concat and Fusion-average (one neck and loss on the fused feature) (UniCat, section 3).
struct LateFusion: EncodingSystem {
    private enum Heads: Sendable {
        case each([Modality: IdentityHead])
        case fused(IdentityHead)
        case none
    }

    let dimension: Int
    let modalities: [Modality]
    let combination: Combination
    private let backbones: [(modality: Modality, network: FeatureBackbone)]
    private let heads: Heads

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        backbones = try configuration.modalities.map {
            ($0, try FeatureBackbone(scope.scope("encoders.\($0.rawValue)"), configuration))
        }
        let width = configuration.backbone.width
        (modalities, combination) = (configuration.modalities, configuration.combination)
        dimension = combination == .sum ? width : width * modalities.count
        heads = try Self.heads(configuration, scope, fused: dimension)
    }

    private static func heads(
        _ configuration: ModelConfiguration, _ scope: ParameterScope, fused: Int
    ) throws -> Heads {
        if scope.isInference { return .none }
        let identities = try configuration.trainedIdentities
        guard configuration.system == .unicat else {
            return .fused(
                try IdentityHead(
                    neck: scope.scope("neck"), classifier: scope.scope("classifier"), width: fused,
                    identities: identities))
        }
        let each = try configuration.modalities.map { modality in
            let head = try IdentityHead(
                neck: scope.scope("necks.\(modality.rawValue)"),
                classifier: scope.scope("classifiers.\(modality.rawValue)"), width: configuration.backbone.width,
                identities: identities)
            return (modality, head)
        }
        return .each(Dictionary(uniqueKeysWithValues: each))
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        backbones.reduce(into: [:]) { features, backbone in
            features[backbone.modality] = images[backbone.modality].map(backbone.network.feature)
        }
    }

    func callAsFunction(_ images: [Modality: Tensor]) -> SystemOutput {
        let features = vectors(images)
        switch heads {
        case .none: preconditionFailure("a system built for inference has no classifier")
        case .fused(let head):
            let fused = combined(features)
            return SystemOutput(
                heads: [.init(name: "fused", features: fused, logits: [head(fused)])], embedding: fused)
        case .each(let heads):
            return SystemOutput(
                heads: backbones.compactMap { backbone in
                    guard let feature = features[backbone.modality], let head = heads[backbone.modality] else {
                        return nil
                    }
                    return .init(name: backbone.modality.rawValue, features: feature, logits: [head(feature)])
                }, embedding: combined(features))
        }
    }
}
