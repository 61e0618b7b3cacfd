import Tensor

/// Images cut into patches, each translated linearly (Dosovitskiy et al., 2021, eq. 1): a convolution whose kernel is the
/// patch.
struct PatchEmbedding: Sendable {
    private enum Form: Sendable {
        case packed(PackedConvolution)
        case plain(Linear)
    }

    private let form: Form
    private let patch: Int
    private let stride: Int
    private let width: Int

    /// Takes `proj.weight` [width, 3, patch, patch] and `proj.bias`.
    ///
    /// - Parameters:
    ///   - height: of the images in pixels.
    ///   - width: of the images in pixels.
    init(
        _ scope: ParameterScope, _ configuration: ModelConfiguration.Backbone.ViT, height: Int, width: Int
    ) throws {
        (patch, stride, self.width) = (configuration.patch, configuration.stride, configuration.width)
        let scope = scope.scope("proj")
        let kernel = try scope.parameter("weight", [configuration.width, 3, patch, patch])
        let bias = try scope.parameter("bias", [configuration.width])
        form =
            scope.isInference
            ? .packed(PackedConvolution(kernel, bias: bias, stride: stride, padding: 0, height: height, width: width))
            : .plain(Linear(scope, weight: kernel.reshaped([configuration.width, 3 * patch * patch]), bias: bias))
    }

    /// [B, H, W, 3] → [B, patches, D].
    func callAsFunction(_ images: Tensor) -> Tensor {
        switch form {
        case .packed(let convolution):
            let grid = convolution.outputSize
            return convolution.convolve(images).reshaped([images.shape[0], grid.height * grid.width, width])
        case .plain(let projection): return projection(images.patches(size: patch, stride: stride))
        }
    }
}
