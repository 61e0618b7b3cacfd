import Tensor

/// Images cut into patches, each translated linearly (Dosovitskiy et al., 2021, eq. 1): a convolution whose kernel is the
/// patch, done as a matrix product over the patches.
struct PatchEmbedding: Sendable {
    private let projection: Linear
    private let patch: Int
    private let stride: Int

    /// Takes `proj.weight` [width, 3, patch, patch] and `proj.bias`.
    init(_ scope: ParameterScope, _ configuration: ModelConfiguration.Backbone.ViT) throws {
        (patch, stride) = (configuration.patch, configuration.stride)
        let scope = scope.scope("proj")
        let kernel = try scope.parameter("weight", [configuration.width, 3, patch, patch])
        projection = Linear(
            scope, weight: kernel.reshaped([configuration.width, 3 * patch * patch]),
            bias: try scope.parameter("bias", [configuration.width]))
    }

    /// [B, H, W, 3] → [B, patches, D].
    func callAsFunction(_ images: Tensor) -> Tensor { projection(images.patches(size: patch, stride: stride)) }
}
