import Tensor

/// One backbone a modality, or several, fused at the end: UniCat (each backbone its own neck, classifier and loss; concatenated
/// only for inference), Fusion-concat and Fusion-average (one neck and loss on the fused feature) (UniCat, section 3; Table 4 for
/// two backbones of one modality).
struct LateFusion: EncodingSystem {
    /// A backbone, and its own head if it has one.
    private struct Network: Sendable {
        /// The modality, with the number where it has several.
        let name: String
        let backbone: FeatureBackbone
        let head: IdentityHead?
    }

    let dimension: Int
    let modalities: [Modality]
    let combination: Combination
    /// Of each modality its own.
    private let networks: [(modality: Modality, members: [Network])]
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
        networks = try configuration.modalities.map { modality in
            let members = try configuration.networkNames(modality).map { name in
                Network(
                    name: name, backbone: try FeatureBackbone(scope.scope("encoders.\(name)"), configuration),
                    head: isUniCat ? try head("necks.\(name)", "classifiers.\(name)", width) : nil)
            }
            return (modality, members)
        }
        self.head = isUniCat ? nil : try head("neck", "classifier", dimension)
    }

    /// Of each modality that is there, what each of its backbones makes of it.
    private func features(_ images: [Modality: Tensor]) -> [(modality: Modality, each: [Tensor])] {
        networks.compactMap { modality, members in
            images[modality].map { image in (modality, members.map { $0.backbone.feature(image) }) }
        }
    }

    /// A modality's backbones are combined as modalities are.
    private func vectors(_ features: [(modality: Modality, each: [Tensor])]) -> [Modality: Tensor] {
        features.reduce(into: [:]) { vectors, feature in
            vectors[feature.modality] =
                feature.each.count == 1
                ? feature.each[0]
                : combination == .sum ? Tensor.mean(of: feature.each) : Tensor.concatenated(feature.each, axis: 1)
        }
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] { vectors(features(images)) }

    func callAsFunction(_ images: [Modality: Tensor]) -> SystemOutput {
        let features = features(images)
        let fused = combined(vectors(features))
        if let head {
            return SystemOutput(
                heads: [.init(name: "fused", features: fused, logits: [head(fused)])], embedding: fused)
        }
        let each = features.flatMap { modality, each in
            zip(networks.first { $0.modality == modality }?.members ?? [], each)
        }
        return SystemOutput(
            heads: each.map { network, feature in
                guard let head = network.head else {
                    preconditionFailure("a system built for inference has no classifier")
                }
                return .init(name: network.name, features: feature, logits: [head(feature)])
            }, embedding: fused)
    }
}
