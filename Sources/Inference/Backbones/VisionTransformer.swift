import Tensor

/// ViT (Dosovitskiy et al., 2021) and its distilled form DeiT (Touvron et al., 2021), with timm's names.
struct VisionTransformer: Sendable {
    private let configuration: ModelConfiguration.Backbone.ViT
    private let patchEmbedding: Linear
    private let prefixTokens: Tensor
    private let positions: Tensor
    private let blocks: [TransformerBlock]
    private let norm: LayerNorm

    /// - Parameters:
    ///   - configuration: sizes, validated.
    ///   - height: of the images in pixels.
    ///   - width: of the images in pixels.
    init(
        _ scope: ParameterScope, _ configuration: ModelConfiguration.Backbone.ViT, height: Int, width: Int
    ) throws {
        let (dimension, patch) = (configuration.width, configuration.patch)
        self.configuration = configuration
        let embedding = scope.scope("patch_embed.proj")
        let kernel = try embedding.parameter("weight", [dimension, 3, patch, patch])
        patchEmbedding = Linear(
            embedding, weight: kernel.reshaped([dimension, 3 * patch * patch]),
            bias: try embedding.parameter("bias", [dimension]))
        let classToken = try scope.parameter("cls_token", [1, 1, dimension])
        prefixTokens =
            configuration.distilled
            ? Tensor.concatenated([classToken, try scope.parameter("dist_token", [1, 1, dimension])], axis: 1)
            : classToken
        let grid = configuration.grid(height: height, width: width)
        let tokens = configuration.prefix + grid.rows * grid.columns
        positions = try scope.parameter("pos_embed", [1, tokens, dimension])
        blocks = try (0..<configuration.depth).map {
            try TransformerBlock(
                scope.scope("blocks.\($0)"), width: dimension, heads: configuration.heads,
                hidden: configuration.hidden)
        }
        norm = try LayerNorm(scope.scope("norm"), width: dimension, epsilon: 1e-6)
    }

    /// Images [B, H, W, 3] → tokens [B, prefix + patches, D] after the final norm. Token 0 is the class token, token 1
    /// the distillation token if there is one.
    func callAsFunction(_ images: Tensor) -> Tensor {
        // A convolution whose kernel is the patch: a matrix product over the patches.
        let patches = patchEmbedding(images.patches(size: configuration.patch, stride: configuration.stride))
        let prefix = prefixTokens.reshaped([configuration.prefix, configuration.width])
            .broadcast(leading: images.shape[0])
        let embedded =
            Tensor.concatenated([prefix, patches], axis: 1)
            + positions.reshaped(Shape(Array(positions.shape.dimensions.dropFirst())))
        return norm(blocks.reduce(embedded) { $1($0) })
    }
}
