import Tensor

/// GraFT: a shared transformer backbone, then one post-norm encoder layer a modality over learned fusion tokens and all
/// of the backbone's tokens; the fusion tokens' results, averaged over the modalities present, are the embedding
/// (GraFT, section 3, eq. 1 to 7). Or, as its vanilla fusion has it, one such layer over the tokens of all modalities present
/// (section 6, Table 5): then modalities give each other something.
struct GraFT: EncodingSystem {
    private enum Encoders: Sendable {
        case each([Modality: PostNormEncoderLayer])
        case joint(PostNormEncoderLayer)
    }

    /// What the backbone makes of a modality's images.
    private typealias Features = (modality: Modality, rows: Tensor)

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
            scope.hasClassifiers
            ? try IdentityHead(
                neck: scope.scope("neck"), classifier: scope.scope("classifier"), width: dimension,
                identities: configuration.trainedIdentities) : nil
    }

    private static func encoders(
        _ modalities: [Modality], _ head: ModelConfiguration.GraFTHead, _ scope: ParameterScope, width: Int
    ) throws -> Encoders {
        let layer = { (path: String) in
            try PostNormEncoderLayer(scope.scope(path), width: width, heads: head.heads, feedforward: head.feedforward)
        }
        if head.fusion.isVanilla { return .joint(try layer("encoder")) }
        let each = try modalities.map { ($0, try layer("encoders.\($0.rawValue)")) }
        return .each(Dictionary(uniqueKeysWithValues: each))
    }

    /// Images [B, H, W, 3] by modality, at least one.
    private func seen(_ images: [Modality: Tensor]) -> [Features] { shared(images) { backbone($0) } }

    /// The fusion tokens, for each of so many triples.
    private func fusion(_ count: Int) -> Tensor {
        fusionTokens.reshaped([fusionTokens.shape[1], dimension]).broadcast(leading: count)
    }

    /// The results of the encoder layers, fusion tokens first: of each modality's, or of the one for all with the mean of the
    /// modalities' data tokens.
    private func encoded(_ features: [Features]) -> [Tensor] {
        switch encoders {
        case .each: encodedApart(features)
        case .joint(let layer): [encodedTogether(features, layer)]
        }
    }

    private func encodedApart(_ features: [Features]) -> [Tensor] {
        guard case .each(let layers) = encoders else { return [] }
        let largest = features.map { $0.rows.shape[0] }.max() ?? 0
        let all = fusion(largest)
        return features.compactMap { feature in
            let count = feature.rows.shape[0]
            let fusion = count == largest ? all : all.sliced(axis: 0, 0..<count)
            return layers[feature.modality]?(Tensor.concatenated([fusion, feature.rows], axis: 1))
        }
    }

    private func encodedTogether(_ features: [Features], _ layer: PostNormEncoderLayer) -> Tensor {
        let fusion = fusion(features[0].rows.shape[0])
        let tokens = layer(Tensor.concatenated([fusion] + features.map(\.rows), axis: 1))
        let (first, count) = (fusionTokens.shape[1], features[0].rows.shape[1])
        let parts = features.indices.map {
            tokens.sliced(axis: 1, (first + $0 * count)..<(first + ($0 + 1) * count))
        }
        return Tensor.concatenated([tokens.sliced(axis: 1, 0..<first), Tensor.mean(of: parts)], axis: 1)
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
    private func vectors(_ features: [Features]) -> [Modality: Tensor] {
        let fused = encoded(features).map(fused)
        return Dictionary(
            uniqueKeysWithValues: features.indices.map { (features[$0].modality, fused[interacts ? 0 : $0]) })
    }

    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] { vectors(seen(images)) }

    /// Also for each smaller set where modalities give each other something; they go through the backbone once.
    func encode(_ images: [Modality: Tensor]) -> SystemVectors {
        let features = seen(images)
        var encoded = SystemVectors(parts: vectors(features))
        for set in interacts ? SystemVectors.smallerSets(of: features) : [] {
            encoded.subsets[Set(set.map(\.modality))] = fused(self.encoded(set)[0])
        }
        return encoded
    }

    /// Tokens of the modalities' encoder layers, or of the backbone where one layer sees all.
    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        let features = seen(images)
        let tokens = interacts ? features.map(\.rows) : encodedApart(features)
        return Dictionary(uniqueKeysWithValues: zip(features.map(\.modality), tokens))
    }

    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput {
        guard let head else { preconditionFailure("a system built for inference has no classifier") }
        let mean = tokens(modalities.compactMap { modality in features[modality].map { (modality, $0) } }, rows)
        let fused = fused(mean)
        return SystemOutput(
            heads: [.init(name: "fused", features: fused, logits: [head(fused)])], embedding: fused, data: data(mean))
    }

    /// The tokens of each triple: the mean over the modalities that it has, or what one layer makes of all of these.
    private func tokens(_ features: [Features], _ rows: BatchRows) -> Tensor {
        guard case .joint(let layer) = encoders else { return rows.mean(features) }
        // Triples of the same modalities go through the layer together.
        return rows.bySet(features) { encodedTogether($0, layer) }
    }

    func embed(_ images: [Modality: Tensor], _ rows: BatchRows?) -> Tensor {
        guard interacts, let rows else { return combined(vectors(images), rows) }
        return fused(tokens(seen(images), rows))
    }
}
