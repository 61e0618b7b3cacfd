import Tensor

/// GraFT: a shared transformer backbone, then one post-norm encoder layer a modality over learned fusion tokens and all
/// of the backbone's tokens; the fusion tokens' results, averaged over the modalities present, are the embedding
/// (GraFT, section 3, eq. 1 to 7).
struct GraFT: EncodingSystem {
    private let backbone: VisionTransformer
    private let fusionTokens: Tensor
    private let encoders: [(modality: Modality, layer: PostNormEncoderLayer)]
    private let head: IdentityHead?
    private let fusion: ModelConfiguration.GraFTHead.Fusion

    /// Elements of an embedding: the backbone's width.
    let dimension: Int
    let combination = Combination.sum

    var modalities: [Modality] { encoders.map(\.modality) }

    init(_ configuration: ModelConfiguration, _ head: ModelConfiguration.GraFTHead, _ scope: ParameterScope) throws {
        guard case .vit(let vit) = configuration.backbone else {
            throw EncoderError.unsupported("GraFT over \(configuration.backbone), expected a transformer")
        }
        dimension = vit.width
        fusion = head.fusion
        backbone = try VisionTransformer(
            scope.scope("backbone"), vit, height: configuration.input.height, width: configuration.input.width)
        fusionTokens = try scope.parameter("fusion_token", [1, head.fusionTokens, vit.width])
        encoders = try configuration.modalities.map {
            let layer = try PostNormEncoderLayer(
                scope.scope("encoders.\($0.rawValue)"), width: vit.width, heads: head.heads,
                feedforward: head.feedforward)
            return ($0, layer)
        }
        self.head =
            scope.isInference
            ? nil
            : try IdentityHead(
                neck: scope.scope("neck"), classifier: scope.scope("classifier"), width: vit.width,
                identities: configuration.trainedIdentities)
    }

    /// Images [B, H, W, 3] by modality, at least one → the results of the encoder layers, fusion tokens first.
    private func encoded(_ images: [Modality: Tensor]) -> [(modality: Modality, tokens: Tensor)] {
        let present = encoders.filter { images[$0.modality] != nil }
        let inputs = present.compactMap { images[$0.modality] }
        precondition(!inputs.isEmpty, "an embedding of no modality")
        let batch = inputs[0].shape[0]
        // The backbone is shared, so all modalities go through it as one batch.
        let features = backbone(Tensor.concatenated(inputs, axis: 0))
        let fusion = fusionTokens.reshaped([fusionTokens.shape[1], dimension]).broadcast(leading: batch)
        return present.enumerated().map { index, encoder in
            let part = features.sliced(axis: 0, (index * batch)..<((index + 1) * batch))
            return (encoder.modality, encoder.layer(Tensor.concatenated([fusion, part], axis: 1)))
        }
    }

    private func data(_ tokens: Tensor) -> Tensor { tokens.sliced(axis: 1, fusionTokens.shape[1]..<tokens.shape[1]) }

    private func fused(_ tokens: Tensor) -> Tensor {
        switch fusion {
        case .token: tokens.sliced(axis: 1, 0..<fusionTokens.shape[1]).mean(axis: 1)
        case .cls: data(tokens).sliced(axis: 1, 0..<1).mean(axis: 1)
        case .average: data(tokens).mean(axis: 1)
        }
    }

    /// Fusing is linear, so what is fused is the mean of each modality fused alone.
    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        Dictionary(uniqueKeysWithValues: encoded(images).map { ($0.modality, fused($0.tokens)) })
    }

    func callAsFunction(_ images: [Modality: Tensor]) -> SystemOutput {
        guard let head else { preconditionFailure("a system built for inference has no classifier") }
        let mean = Tensor.mean(of: encoded(images).map(\.tokens))
        let fused = fused(mean)
        return SystemOutput(
            heads: [.init(name: "fused", features: fused, logits: [head(fused)])], embedding: fused, data: data(mean))
    }
}
