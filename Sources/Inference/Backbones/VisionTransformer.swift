import Tensor

/// ViT (Dosovitskiy et al., 2021), its distilled form DeiT (Touvron et al., 2021), and what CLIP's image tower has beside them
/// (Radford et al., 2021), with timm's names.
struct VisionTransformer: Sendable {
    private let patchEmbedding: PatchEmbedding
    private let prefix: TokenPrefix
    private let blocks: [TransformerBlock]
    private let normPre: LayerNorm?
    private let norm: LayerNorm?
    private let projection: Linear?

    /// - Parameters:
    ///   - configuration: sizes, validated.
    ///   - height: of the images in pixels.
    ///   - width: of the images in pixels.
    ///   - isTrunk: without the last block and the final norm: MixER has two of these.
    init(
        _ scope: ParameterScope, _ configuration: ModelConfiguration.Backbone.ViT, height: Int, width: Int,
        isTrunk: Bool = false
    ) throws {
        patchEmbedding = try PatchEmbedding(
            scope.scope("patch_embed"), configuration, height: height, width: width)
        let grid = configuration.grid(height: height, width: width)
        prefix = try TokenPrefix(
            scope, tokens: configuration.distilled ? ["cls_token", "dist_token"] : ["cls_token"],
            positions: "pos_embed",
            count: grid.rows * grid.columns, width: configuration.width)
        blocks = try (0..<(isTrunk ? configuration.depth - 1 : configuration.depth)).map {
            try TransformerBlock(scope.scope("blocks.\($0)"), configuration, index: $0)
        }
        let variant = configuration.variant
        normPre = variant.normalisesFirst ? try LayerNorm(scope.scope("norm_pre"), of: configuration) : nil
        norm = isTrunk ? nil : try LayerNorm(scope.scope("norm"), of: configuration)
        projection = try variant.projection.map {
            try Linear(scope.scope("projection"), inputs: configuration.width, outputs: $0, hasBias: false)
        }
    }

    /// Images [B, H, W, 3] → tokens [B, prefix + patches, D] after the final norm and the projection. Token 0 is the class
    /// token, token 1 the distillation token if there is one.
    func callAsFunction(_ images: Tensor) -> Tensor { images.encoded(narrowly: isNarrow) { projected(normed($0)) } }

    /// Images [B, H, W, 3] → the class token [B, D]; the others are not projected.
    func classToken(_ images: Tensor) -> Tensor {
        images.encoded(narrowly: isNarrow) { projected(normed($0).classToken) }
    }

    /// Whether any of its blocks is.
    var isNarrow: Bool { blocks.contains(where: \.isNarrow) }

    private func normed(_ images: Tensor) -> Tensor {
        let first = prefix(patchEmbedding(images))
        let tokens = blocks.reduce(normPre?(first) ?? first) { $1($0) }
        return norm?(tokens) ?? tokens
    }

    private func projected(_ tokens: Tensor) -> Tensor { projection?(tokens) ?? tokens }
}

/// Learned tokens before the others, and a learned position for each.
struct TokenPrefix: Sendable {
    private let tokens: Tensor
    private let positions: Tensor

    /// - Parameters:
    ///   - tokens: the names of tensors [1, 1, D].
    ///   - positions: the name of a tensor [1, tokens + count, D].
    ///   - count: of the other tokens, at most.
    init(_ scope: ParameterScope, tokens names: [String], positions: String, count: Int, width: Int) throws {
        let tokens = try names.map { try scope.parameter($0, [1, 1, width]).reshaped([1, width]) }
        self.tokens = Tensor.concatenated(tokens, axis: 0)
        let total = names.count + count
        self.positions = try scope.parameter(positions, [1, total, width]).reshaped([total, width])
    }

    /// [B, N, D] → [B, prefix + N, D].
    func callAsFunction(_ x: Tensor) -> Tensor {
        let all = Tensor.concatenated([tokens.broadcast(leading: x.shape[0]), x], axis: 1)
        return all + (all.shape[1] == positions.shape[0] ? positions : positions.sliced(axis: 0, 0..<all.shape[1]))
    }
}
