import Tensor

/// DMF (dual-modality fusion of text and images): words and patches are each translated linearly into one space, and one
/// transformer encodes either (DMF, section 3). Each image modality has a translation of its own.
struct DMF: TextEncodingSystem {
    let dimension: Int
    let modalities: [Modality]
    let combination = Combination.sum
    private let patchEmbedding: PatchEmbedding
    private let translations: [Modality: Linear]
    private let imagePrefix: TokenPrefix
    private let text: TextEmbedding
    private let blocks: [TransformerBlock]
    private let norm: LayerNorm
    private let head: IdentityHead?

    init(
        _ configuration: ModelConfiguration, _ text: ModelConfiguration.DMFHead.Text, _ scope: ParameterScope
    ) throws {
        guard case .vit(let vit) = configuration.backbone else {
            throw EncoderError.unsupported("DMF over \(configuration.backbone), expected a transformer")
        }
        (dimension, modalities) = (vit.width, configuration.modalities)
        patchEmbedding = try PatchEmbedding(
            scope.scope("patch_embed"), vit, height: configuration.input.height, width: configuration.input.width)
        translations = try Dictionary(
            uniqueKeysWithValues: modalities.map {
                ($0, try Linear(scope.scope("image_translation.\($0.rawValue)"), inputs: vit.width, outputs: vit.width))
            })
        let grid = vit.grid(height: configuration.input.height, width: configuration.input.width)
        imagePrefix = try TokenPrefix(
            scope, tokens: ["cls_token"], positions: "pos_embed", count: grid.rows * grid.columns, width: vit.width)
        self.text = try TextEmbedding(scope, text, width: vit.width)
        blocks = try (0..<vit.depth).map { try TransformerBlock(scope.scope("blocks.\($0)"), vit, index: $0) }
        norm = try LayerNorm(scope.scope("norm"), of: vit)
        head =
            scope.hasClassifiers
            ? try IdentityHead(
                neck: scope.scope("neck"), classifier: scope.scope("classifier"), width: vit.width,
                identities: configuration.trainedIdentities) : nil
    }

    private func run(_ tokens: Tensor, mask: Tensor? = nil) -> Tensor {
        norm(blocks.reduce(tokens) { $1($0, mask: mask) }).classToken
    }

    /// In the model's order and not in a dictionary's, which is another in each process: the gradients of what modalities share are
    /// summed in it.
    func vectors(_ images: [Modality: Tensor]) -> [Modality: Tensor] {
        let isNarrow = blocks.contains(where: \.isNarrow)
        let present = modalities.compactMap { modality in
            images[modality].flatMap { image in translations[modality].map { (modality, image, $0) } }
        }
        return Dictionary(present.map(\.0), narrowly: isNarrow) { index in
            let (_, images, translation) = present[index]
            return images.encoded(narrowly: isNarrow) { run(imagePrefix(translation(patchEmbedding($0)))) }
        }
    }

    func embed(texts: [[Int]]) -> Tensor {
        let (tokens, mask) = text(texts)
        return run(tokens, mask: mask)
    }

    func features(_ images: [Modality: Tensor]) -> [Modality: Tensor] { vectors(images) }

    func output(_ features: [Modality: Tensor], _ rows: BatchRows) -> SystemOutput { output(combined(features, rows)) }

    func callAsFunction(texts: [[Int]]) -> SystemOutput { output(embed(texts: texts)) }

    private func output(_ features: Tensor) -> SystemOutput {
        guard let head else { preconditionFailure("a system built for inference has no classifier") }
        return SystemOutput(
            heads: [.init(name: "fused", features: features, logits: [head(features)])], embedding: features)
    }
}

/// Words as vectors, translated into the images' space.
private struct TextEmbedding: Sendable {
    private let embedding: Tensor
    private let translation: Linear
    private let prefix: TokenPrefix

    init(_ scope: ParameterScope, _ text: ModelConfiguration.DMFHead.Text, width: Int) throws {
        embedding = try scope.scope("text_embed").parameter("weight", [text.vocabulary.count, text.width])
        translation = try Linear(scope.scope("text_translation"), inputs: text.width, outputs: width)
        prefix = try TokenPrefix(
            scope, tokens: ["text_cls_token"], positions: "text_pos_embed", count: text.maxTokens, width: width)
    }

    /// Indices into the vocabulary → tokens [B, 1 + longest, D], and the mask of what is padding.
    func callAsFunction(_ texts: [[Int]]) -> (tokens: Tensor, mask: Tensor) {
        let longest = texts.map(\.count).max() ?? 0
        let padded = texts.map { $0 + [Int](repeating: 0, count: longest - $0.count) }
        let words = embedding.rows(at: padded.flatMap { $0 })
        let tokens = prefix(translation(words.reshaped([texts.count, longest, embedding.shape[1]])))
        let mask = texts.flatMap { text in (0...longest).map { $0 <= text.count ? Float(0) : -.infinity } }
        return (tokens, Tensor(mask, shape: [texts.count, longest + 1]))
    }
}
