import Tensor

/// Convolution, batch norm, and what follows: relu(norm(conv(x)) + residual). In inference one fused convolution whose
/// weights the norm is folded into.
struct ConvolutionBlock: Sendable {
    private enum Form: Sendable {
        case packed(PackedConvolution)
        /// The images are rounded to the precision, and of 8 bits the results to bfloat16.
        case plain(weight: Tensor, norm: BatchNorm, Precision)
    }

    /// A square kernel that keeps the size, but for the stride.
    struct Kernel: Sendable {
        let inputs: Int
        let outputs: Int
        var size = 1
        var stride = 1
    }

    /// Height and width of images.
    struct Size: Sendable {
        let height: Int
        let width: Int
    }

    private let form: Form
    private let kernel: Kernel
    /// The size of its results.
    let output: Size
    /// Whether it is packed, and multiplies in fewer than 32 bits.
    let isNarrow: Bool

    /// - Parameters:
    ///   - convolution: the scope of a weight [outputs, inputs, k, k], without bias.
    ///   - norm: the scope of its batch norm.
    ///   - input: the size of the images that it will see.
    ///   - followsReLU: whether they have no negative elements: then the weights may be narrow.
    init(
        convolution: ParameterScope, norm: ParameterScope, _ kernel: Kernel, input: Size, followsReLU: Bool = true
    ) throws {
        let weight = try convolution.parameter("weight", [kernel.outputs, kernel.inputs, kernel.size, kernel.size])
        let norm = try BatchNorm(norm, width: kernel.outputs)
        self.kernel = kernel
        output = Size(height: (input.height - 1) / kernel.stride + 1, width: (input.width - 1) / kernel.stride + 1)
        let format = followsReLU ? convolution.format(of: "weight") : .float32
        isNarrow = convolution.isInference && format != .float32
        guard convolution.isInference else {
            form = .plain(weight: weight, norm: norm, format.precision)
            return
        }
        let (factor, shift) = norm.folded
        let rows = weight.reshaped([kernel.outputs, weight.count / kernel.outputs])
        let folded = rows.multiplied(by: factor, repeatedAlong: 1).reshaped(weight.shape)
        form = .packed(
            PackedConvolution(
                folded, bias: shift, stride: kernel.stride, padding: kernel.size / 2, height: input.height,
                width: input.width, format: format.scaled(by: factor)))
    }

    /// [B, H, W, inputs] → [B, H', W', outputs].
    func callAsFunction(_ x: FeatureMap, residual: FeatureMap? = nil, relu: Bool = true) -> FeatureMap {
        switch form {
        case .packed(let convolution):
            return convolution.convolve(x, residual: residual, relu: relu)
        case .plain(let weight, let norm, let precision):
            let images = x.tensor.rounded(to: precision, byImage: true)
            let normed = norm(images.convolved(weight: weight, stride: kernel.stride, padding: kernel.size / 2))
            let sum = residual.map { normed + $0.tensor } ?? normed
            let result = relu ? sum.relu() : sum
            // As the maps between convolutions in 8 bits are kept.
            return .floats(precision == .int8 ? result.rounded(to: .bfloat16) : result)
        }
    }
}
