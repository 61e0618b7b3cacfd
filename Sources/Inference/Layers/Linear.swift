import Tensor

/// x·Wᵀ + b, followed by an activation or a residual: in inference one fused product on packed weights.
struct Linear: Sendable {
    private enum Form: Sendable {
        case packed(PackedWeights)
        /// What comes to it is rounded to the precision.
        case plain(Tensor, bias: Tensor?, Precision)
    }

    private let form: Form
    /// Whether it multiplies in fewer than 32 bits.
    let isNarrow: Bool
    /// Whether it does so on packed weights.
    var isPackedNarrowly: Bool { if case .packed = form { isNarrow } else { false } }

    /// Takes `weight` [outputs, inputs] and `bias` [outputs] (PyTorch's names and orientation).
    init(_ scope: ParameterScope, inputs: Int, outputs: Int, hasBias: Bool = true) throws {
        try self.init(
            scope, weight: scope.parameter("weight", [outputs, inputs]),
            bias: hasBias ? scope.parameter("bias", [outputs]) : nil, format: scope.format(of: "weight"))
    }

    /// The same with tensors that bear other names.
    init(_ scope: ParameterScope, weight: Tensor, bias: Tensor?, format: WeightFormat = .float32) {
        isNarrow = format != .float32
        form =
            scope.isInference
            ? .packed(PackedWeights(weight, bias: bias, format: format))
            : .plain(weight, bias: bias, format.precision)
    }

    func callAsFunction(_ x: Tensor, activation: Activation = .identity, residual: Tensor? = nil) -> Tensor {
        switch form {
        case .packed(let weights):
            return weights.multiply(x, activation: activation, residual: residual)
        case .plain(let weight, let bias, let precision):
            let result = x.rounded(to: precision).linear(weight: weight, bias: bias).activated(activation)
            return residual.map { result + $0 } ?? result
        }
    }
}
