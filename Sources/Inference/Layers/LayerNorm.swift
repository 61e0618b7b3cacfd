import Tensor

/// Layer normalisation of the innermost axis (Ba et al., 2016).
struct LayerNorm: Sendable {
    private let weight: Tensor
    private let bias: Tensor
    private let epsilon: Float

    init(_ scope: ParameterScope, width: Int, epsilon: Float) throws {
        weight = try scope.parameter("weight", [width])
        bias = try scope.parameter("bias", [width])
        self.epsilon = epsilon
    }

    func callAsFunction(_ x: Tensor) -> Tensor { x.layerNorm(weight: weight, bias: bias, epsilon: epsilon) }
}
