import Tensor

/// GraFT: a shared transformer backbone, then one post-norm encoder layer a modality over learned fusion tokens and all
/// of the backbone's tokens; the fusion tokens' results, averaged over the modalities present, are the embedding
/// (GraFT, section 3, eq. 1 to 7). Or, as its vanilla fusion has it, one such layer over the tokens of all modalities present
/// (section 6, Table 5): then modalities give each other something.
struct GraFT: EncodingSystem {
    private enum Encoders: Sendable {
        /// In the order of the modalities.
        case each([PostNormEncoderLayer])
        case joint(PostNormEncoderLayer)
    }

    /// What the backbone makes of the modalities that are there, one after the other in one batch.
    private struct Features {
        /// Among the model's.
        let places: [Int]
        let tokens: Tensor

        /// Of the modality that is the `index`-th there.
        func part(_ index: Int) -> Tensor {
            let batch = tokens.shape[0] / places.count
            return tokens.sliced(axis: 0, (index * batch)..<((index + 1) * batch))
        }
    }

    private let backbone: VisionTransformer
    private let fusionTokens: Tensor
    private let encoders: Encoders
    private let head: IdentityHead?
    private let fusion: ModelConfiguration.GraFTHead.Fusion

    /// Elements of an embedding: the backbone's width.
    let dimension: Int
    let modalities: [Modality]
    let combination = Combination.sum

    var interacts: Bool { fusion.isVanilla }

    init(_ configuration: ModelConfiguration, _ head: ModelConfiguration.GraFTHead, _ scope: ParameterScope) throws {
        guard case .vit(let vit) = configuration.backbone else {
            throw EncoderError.unsupported("GraFT over \(configuration.backbone), expected a transformer")
        }
        (dimension, modalities, fusion) = (configuration.backbone.width, configuration.modalities, head.fusion)
        backbone = try VisionTransformer(
            scope.scope("backbone"), vit, height: configuration.input.height, width: configuration.input.width)
        fusionTokens = try scope.parameter("fusion_token", [1, head.fusionTokens, dimension])
        encoders = try Self.encoders(configuration.modalities, head, scope, width: dimension)
        self.head =
            scope.isInference
            ? nil
            : try IdentityHead(
                neck: scope.scope("neck"), classifier: scope.scope("classifier"), width: dimension,
                identities: configuration.trainedIdentities)
    }

    private static func encoders(
        _ modalities: [Modality], _ head: ModelConfiguration.GraFTHead, _ scope: ParameterScope, width: Int
    ) throws -> Encoders {
        let layer = { (path: String) in
            try PostNormEncoderLayer(scope.scope(path), width: width, heads: head.heads, feedforward: head.feedforward)
        }
        if head.fusion.isVanilla { return .joint(try layer("encoder")) }
        return .each(try modalities.map { try layer("encoders.\($0.rawValue)") })
    }

    /// Images [B, H, W, 3] by modality, at least one. The backbone is shared, so all modalities go through it as one batch.
    private func features(_ images: [Modality: Tensor]) -> Features {
        let present = modalities.indices.compactMap { place in images[modalities[place]].map { (place, $0) } }
        precondition(!present.isEmpty, "an embedding of no modality")
        return Features(
            places: present.map(\.0), tokens: backbone(Tensor.concatenated(present.map(\.1), axis: 0)))
    }

    /// The results of the encoder layers, fusion tokens first: of each modality's, or of the one for all with the mean of the
    /// modalities' data tokens.
    ///
    /// - Parameter indices: which of the modalities that are there.
    private func encoded(_ features: Features, _ indices: [Int]) -> [Tensor] {
        let fusion = fusionTokens.reshaped([fusionTokens.shape[1], dimension])
            .broadcast(leading: features.tokens.shape[0] / features.places.count)
        switch encoders {
        case .each(let layers):
            return indices.map { index in
                layers[features.places[index]](Tensor.concatenated([fusion, features.part(index)], axis: 1))
            }
        case .joint(let layer):
            let tokens = layer(Tensor.concatenated([fusion] + indices.map(features.part), axis: 1))
            let (first, count) = (fusionTokens.shape[1], features.tokens.shape[1])
            let parts = indices.indices.map {
                tokens.sliced(axis: 1, (first + $0 * count)..<(first + ($0 + 1) * count))
            }
            return [Tensor.concatenated([tokens.sliced(axis: 1, 0..<first), Tensor.mean(of: parts)], axis: 1)]
        }
    }

    private func data(_ tokens: Tensor) -> Tensor { tokens.sliced(axis: 1, fusionTokens.shape[1]..<tokens.shape[1]) }

    private func fused(_ tokens: Tensor) -> Tensor {
        switch fusion {
        case .token, .vanillaCLS: tokens.sliced(axis: 1, 0..<fusionTokens.shape[1]).mean(axis: 1)
        case .cls: data(tokens).sliced(axis: 1, 0..<1).mean(axis: 1)
        case .average, .vanillaAverage: data(tokens).mean(axis: 1)
        }
    }

    /// Fusing is linear, so what is fused is the mean of each modality fused alone. Where one layer sees all modalities, what it
    /// makes cannot be taken apart, and is each one's vector.
    private func vectors(_ features: Features) -> [Modality: Tensor] {
        let encoded = encoded(features, Array(features.places.indices))
        return Dictionary(
            uniqueKeysWithValues: features.places.enumerated().map { index, place in
                (modalities[place], fused(encoded[interacts ? 0 : index]))
            })
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] { vectors(features(images)) }

    /// Also for each smaller set where modalities give each other something; they go through the backbone once.
    func encode(_ images: [Modality: Tensor]) -> SystemVectors {
        let features = features(images)
        var vectors = SystemVectors(parts: vectors(features))
        for set in interacts ? SystemVectors.smallerSets(of: Array(features.places.indices)) : [] {
            vectors.subsets[Set(set.map { modalities[features.places[$0]] })] = fused(encoded(features, set)[0])
        }
        return vectors
    }

    func callAsFunction(_ images: [Modality: Tensor]) -> SystemOutput {
        guard let head else { preconditionFailure("a system built for inference has no classifier") }
        let features = features(images)
        let mean = Tensor.mean(of: encoded(features, Array(features.places.indices)))
        let fused = fused(mean)
        return SystemOutput(
            heads: [.init(name: "fused", features: fused, logits: [head(fused)])], embedding: fused, data: data(mean))
    }
}
