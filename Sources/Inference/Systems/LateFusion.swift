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
    private let backbones: [(modality: Modality, network: FeatureBackbone)]
    private let isAverage: Bool
    private let heads: Heads

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        backbones = try configuration.modalities.map {
            ($0, try FeatureBackbone(scope.scope("encoders.\($0.rawValue)"), configuration))
        }
        let width = configuration.backbone.width
        isAverage = configuration.system == .fusionAverage
        dimension = isAverage ? width : width * configuration.modalities.count
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

    private func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        backbones.reduce(into: [:]) { features, backbone in
            features[backbone.modality] = images[backbone.modality].map(backbone.network.feature)
        }
    }

    /// The mean of what is present, or everything side by side with zeros for what is absent.
    private func fuse(_ features: [Modality: Tensor]) -> Tensor {
        let present = backbones.map { features[$0.modality] }
        if isAverage { return Tensor.mean(of: present.compactMap { $0 }) }
        return Tensor.concatenated(present.blocks, axis: 1)
    }

    func embed(_ images: [Modality: Tensor], subsets: [Set<Modality>]) -> [Tensor] {
        let features = features(images)
        return subsets.map { subset in fuse(features.filter { subset.contains($0.key) }) }
    }

    func callAsFunction(_ images: [Modality: Tensor]) -> SystemOutput {
        let features = features(images)
        switch heads {
        case .none: preconditionFailure("a system built for inference has no classifier")
        case .fused(let head):
            let fused = fuse(features)
            return SystemOutput(
                heads: [.init(name: "fused", features: fused, logits: [head(fused)])], embedding: fused)
        case .each(let heads):
            return SystemOutput(
                heads: backbones.compactMap { backbone in
                    guard let feature = features[backbone.modality], let head = heads[backbone.modality] else {
                        return nil
                    }
                    return .init(name: backbone.modality.rawValue, features: feature, logits: [head(feature)])
                }, embedding: fuse(features))
        }
    }
}

extension [Tensor?] {
    /// The tensors, with zeros of the same shape in place of those that are absent. At least one is present.
    var blocks: [Tensor] {
        guard let shape = compactMap({ $0 }).first?.shape else { preconditionFailure("an embedding of no modality") }
        return map { $0 ?? .zeros(shape) }
    }
}
