import CKernels

/// A linear layer's weights in the layout of the product kernels, made once when a model is built.
public struct PackedWeights: Sendable {
    private enum Form: Sendable {
        case floats(Storage)
        case narrow(NarrowWeights)
    }

    private let form: Form
    /// Features out and in.
    public let outputs: Int, inputs: Int

    /// Packs a weight [out, in] and a bias [out]. Copies them; O(out·in). Weights of int8 are rounded to their codes.
    public init(_ weight: Tensor, bias: Tensor?, format: WeightFormat = .float32) {
        precondition(
            weight.shape.rank == 2 && (bias.map { $0.shape == [weight.shape[0]] } ?? true),
            "packing a weight of shape \(weight.shape), a bias of \(String(describing: bias?.shape)), expected [out, in]"
        )
        (outputs, inputs) = (weight.shape[0], weight.shape[1])
        let steps = ck_weight_steps(output: Int64(inputs), tap_row: 0, tap_column: 0, element: 1)
        let width = format.kernel.map { [inputs] in NarrowWeights.words(inputs, $0) } ?? inputs
        let windows = Self.rows(1, of: width, in: 1)
        form =
            NarrowWeights(weight, steps, format, bias: bias, windows, outputs: outputs, elements: inputs)
            .map(Form.narrow)
            ?? .floats(Kernels.packed(weight, steps, bias: bias, windows, outputs: outputs))
    }

    /// One window a row; so many rows to an image.
    private static func rows(_ count: Int, of inputs: Int, in images: Int) -> ck_windows {
        var windows = ck_windows()
        (windows.batch, windows.rows, windows.columns) = (Int64(images), 1, Int64(count))
        (windows.tap_rows, windows.tap_columns) = (1, 1)
        (windows.image_step, windows.column_step) = (Int64(count * inputs), Int64(inputs))
        windows.run = Int64(inputs)
        return windows
    }

    /// activation(x·weightᵀ + bias) or x·weightᵀ + bias + residual, for x of shape [in], [images, in] or [images, ...,
    /// in]. Never recorded: packed weights only infer. An image's result has the same bits whatever other images there are.
    public func multiply(_ x: Tensor, activation: Activation = .identity, residual: Tensor? = nil) -> Tensor {
        let shape = Shape(x.shape.dimensions.dropLast() + [outputs])
        precondition(x.shape[-1] == inputs, "\(x.shape) times packed weights [\(outputs), \(inputs)]")
        precondition(residual.map { $0.shape == shape } ?? true, "a residual of another shape than \(shape)")
        precondition(residual == nil || activation == .identity, "an activation before a residual")
        let images = x.shape.rank > 1 ? x.shape[0] : 1
        let count = x.count / inputs / images
        switch form {
        case .floats(let packed):
            return Kernels.product(
                Self.rows(count, of: inputs, in: images), x, packed, outputs: outputs, residual: residual,
                activation: activation, into: shape)
        case .narrow(let weights):
            return weights.product(
                Self.rows(count, of: NarrowWeights.words(inputs, weights.precision), in: images), x, width: inputs,
                residual: residual, activation: activation, into: shape)
        }
    }
}
