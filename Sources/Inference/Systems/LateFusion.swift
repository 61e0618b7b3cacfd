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
    /// Of each modality its own, as many as of any.
    private let networks: [(modality: Modality, members: [Network])]
    /// On the fused feature.
    private let head: IdentityHead?
    /// Whether blocks are served after the neck.
    private let servesNeckedBlocks: Bool

    init(_ configuration: ModelConfiguration, _ scope: ParameterScope) throws {
        (modalities, combination) = (configuration.modalities, configuration.combination)
        dimension = configuration.dimension
        servesNeckedBlocks = combination == .blocks && configuration.neckFeature == .after
        let (isUniCat, width) = (configuration.system == .unicat, configuration.backbone.width)
        let identities = scope.hasClassifiers ? try configuration.trainedIdentities : nil
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

    /// Of each modality its backbones' features, side by side.
    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        // In the model's order: what is drawn on the way is.
        let present = networks.compactMap { own in images[own.modality].map { (own, $0) } }
        let isNarrow = networks.contains { $0.members.contains(where: \.backbone.isNarrow) }
        return Dictionary(present.map(\.0.modality), narrowly: isNarrow) { index in
            let (own, image) = present[index]
            let each = own.members.map { $0.backbone.feature(image) }
            return each.count == 1 ? each[0] : Tensor.concatenated(each, axis: 1)
        }
    }

    /// What each of a modality's backbones has made of it.
    private func parts(_ feature: Tensor, _ count: Int) -> [Tensor] {
        guard count > 1 else { return [feature] }
        let width = feature.shape[1] / count
        return (0..<count).map { feature.sliced(axis: 1, ($0 * width)..<(($0 + 1) * width)) }
    }

    /// A modality's backbones, of which each has as many, are combined as modalities are.
    private func vectors(ofFeatures features: [Modality: Tensor]) -> [Modality: Tensor] {
        let count = networks[0].members.count
        guard combination == .sum, count > 1 else { return features }
        return features.mapValues { Tensor.mean(of: parts($0, count)) }
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] { vectors(ofFeatures: features(images)) }

    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput {
        let vectors = vectors(ofFeatures: features)
        let fused = combined(vectors, rows)
        if let head {
            let isWhole = vectors.count == modalities.count && rows.isWhole(modalities)
            let logits = servesNeckedBlocks && !isWhole ? logits(head, vectors, rows) : head(fused)
            return SystemOutput(heads: [.init(name: "fused", features: fused, logits: [logits])], embedding: fused)
        }
        return SystemOutput(
            heads: networks.flatMap { modality, members -> [SystemOutput.Head] in
                guard let feature = features[modality] else { return [] }
                return zip(members, parts(feature, members.count)).map { network, feature in
                    guard let head = network.head else {
                        preconditionFailure("a system built for inference has no classifier")
                    }
                    return .init(
                        name: network.name, features: feature, logits: [head(feature)], rows: rows.rows(of: modality))
                }
            }, embedding: fused)
    }

    /// What the classifier makes of a batch that lacks blocks, where blocks are served after the neck: each is normalised by the
    /// triples that have it, so that the running statistics are those of features, and is 0 after the neck where it is absent, as in
    /// serving. Elsewhere an absent block is 0 before the neck, as the reference has it.
    private func logits(_ head: IdentityHead, _ vectors: [Modality: Tensor], _ rows: BatchRows) -> Tensor {
        let blocks = zip(modalities, head.necked(modalities.map { vectors[$0] }))
        return head.classified(combined(blocks.reduce(into: [:]) { $0[$1.0] = $1.1 }, rows))
    }
}
