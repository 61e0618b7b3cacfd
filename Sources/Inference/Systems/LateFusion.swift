import Tensor

/// One backbone a modality, or several, fused at the end: UniCat (each backbone its own neck, classifier and loss; concatenated
/// only for inference), Fusion-concat and Fusion-average (one neck and loss on the fused feature) (UniCat, section 3; Table 4 for
/// two backbones of one modality).
struct LateFusion: EncodingSystem {
    /// A backbone, and its own head if it has one.
    private struct Network: Sendable {
        let modality: Modality
        /// The modality, with the number where it has several.
        let name: String
        let backbone: FeatureBackbone
        let head: IdentityHead?
    }

    let dimension: Int
    let modalities: [Modality]
    let combination: Combination
    private let networks: [Network]
    /// On the fused feature.
    private let head: IdentityHead?

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        (modalities, combination) = (configuration.modalities, configuration.combination)
        dimension = configuration.dimension
        let (isUniCat, width) = (configuration.system == .unicat, configuration.backbone.width)
        let identities = scope.isInference ? nil : try configuration.trainedIdentities
        let head = { (neck: String, classifier: String, width: Int) in
            try identities.map {
                try IdentityHead(
                    neck: scope.scope(neck), classifier: scope.scope(classifier), width: width, identities: $0)
            }
        }
        networks = try configuration.modalities.flatMap { modality in
            try configuration.networkNames(modality).map { name in
                Network(
                    modality: modality, name: name,
                    backbone: try FeatureBackbone(scope.scope("encoders.\(name)"), configuration),
                    head: isUniCat ? try head("necks.\(name)", "classifiers.\(name)", width) : nil)
            }
        }
        self.head = isUniCat ? nil : try head("neck", "classifier", dimension)
    }

    /// Of each modality its backbones' features, side by side.
    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        // In the model's order: what is drawn on the way is.
        modalities.reduce(into: [:]) { features, modality in
            guard let image = images[modality] else { return }
            let own = networks.filter { $0.modality == modality }.map { $0.backbone.feature(image) }
            features[modality] = own.count == 1 ? own[0] : Tensor.concatenated(own, axis: 1)
        }
    }

    /// Each of a modality's backbones' own.
    private func parts(_ feature: Tensor, of modality: Modality) -> [(network: Network, feature: Tensor)] {
        let own = networks.filter { $0.modality == modality }
        guard own.count > 1 else { return own.map { ($0, feature) } }
        let width = feature.shape[1] / own.count
        return own.enumerated().map { ($1, feature.sliced(axis: 1, ($0 * width)..<(($0 + 1) * width))) }
    }

    /// A modality's backbones are combined as modalities are.
    private func vectors(ofFeatures features: [Modality: Tensor]) -> [Modality: Tensor] {
        guard combination == .sum else { return features }
        return features.reduce(into: [:]) { vectors, entry in
            let own = parts(entry.value, of: entry.key).map(\.feature)
            vectors[entry.key] = own.count == 1 ? own[0] : Tensor.mean(of: own)
        }
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] { vectors(ofFeatures: features(images)) }

    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput {
        let fused = combined(vectors(ofFeatures: features), rows)
        if let head {
            return SystemOutput(
                heads: [.init(name: "fused", features: fused, logits: [head(fused)])], embedding: fused)
        }
        return SystemOutput(
            heads: modalities.flatMap { modality -> [SystemOutput.Head] in
                guard let feature = features[modality] else { return [] }
                return parts(feature, of: modality).map { network, feature in
                    guard let head = network.head else {
                        preconditionFailure("a system built for inference has no classifier")
                    }
                    return .init(
                        name: network.name, features: feature, logits: [head(feature)], rows: rows.rows(of: modality))
                }
            }, embedding: fused)
    }
}
