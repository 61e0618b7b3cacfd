import COneDNN

/// A convolution's weights in the layout that oneDNN asks for, made once when a model is built.
public final class PackedConvolution: Sendable {
    private let packed: Tensor
    private let bias: Tensor?
    private let sizes: ConvolutionSizes

    /// Packs a weight [outputs, channels, k, k] for images of one size. Copies it; O(weight).
    public init(_ weight: Tensor, bias: Tensor?, stride: Int, padding: Int, height: Int, width: Int) {
        sizes = ConvolutionSizes(
            [1, height, width, weight.shape[1]], weight: weight.shape, stride: stride, padding: padding)
        packed = Kernels.packedConvolution(weight, sizes, cdnn_forward)
        self.bias = bias?.detached
    }

    /// relu(x ∗ weight + bias + residual), without the ReLU or the residual if they are not asked for. Never recorded:
    /// packed weights only infer.
    public func convolve(_ x: Tensor, residual: Tensor? = nil, relu: Bool = false) -> Tensor {
        var sizes = sizes
        sizes.batch = x.shape[0]
        precondition(x.shape == sizes.input, "images \(x.shape), packed for \(sizes.input)")
        precondition(residual.map { $0.shape == sizes.output } ?? true, "a residual of another shape")
        return Kernels.convolve(x, packed: packed, sizes, bias: bias, residual: residual, relu: relu)
    }

    /// The height and width of the results.
    public var outputSize: (height: Int, width: Int) { (sizes.output[1], sizes.output[2]) }
}
