import Tensor

/// relu(norm(x·Wᵀ + b)): a linear layer, or a 1×1 convolution, and its batch norm. In inference one fused product.
struct NormedLinear: Sendable {
    private enum Form: Sendable {
        case fused(Linear)
        case plain(Linear, BatchNorm)
    }

    private let form: Form

    /// Takes a 1×1 convolution `0.weight` [outputs, inputs, 1, 1] without bias and its norm `1`.
    init(convolution scope: ParameterScope, inputs: Int, outputs: Int) throws {
        let weight = try scope.scope("0").parameter("weight", [outputs, inputs, 1, 1]).reshaped([outputs, inputs])
        try self.init(scope, weight: weight, bias: nil)
    }

    /// Takes a linear layer `0` and its norm `1`.
    init(linear scope: ParameterScope, inputs: Int, outputs: Int) throws {
        let linear = scope.scope("0")
        try self.init(
            scope, weight: linear.parameter("weight", [outputs, inputs]), bias: linear.parameter("bias", [outputs]))
    }

    private init(_ scope: ParameterScope, weight: Tensor, bias: Tensor?) throws {
        let norm = try BatchNorm(scope.scope("1"), width: weight.shape[0])
        let format = scope.scope("0").format(of: "weight")
        guard scope.isInference else {
            form = .plain(Linear(scope, weight: weight, bias: bias, format: format), norm)
            return
        }
        let (factor, shift) = norm.folded
        form = .fused(
            Linear(
                scope, weight: weight.multiplied(by: factor, repeatedAlong: 1),
                bias: bias.map { $0 * factor + shift } ?? shift, format: format.scaled(by: factor)))
    }

    /// [..., inputs] → [..., outputs].
    func callAsFunction(_ x: Tensor) -> Tensor {
        switch form {
        case .fused(let linear): linear(x, activation: .relu)
        case .plain(let linear, let norm): norm(linear(x)).relu()
        }
    }
}

/// BNNeck and classifier (Luo et al., 2019): batch norm whose shift stays 0, then a linear layer without bias. Only
/// training has one: embeddings are taken before the neck, or by `NeckedSystem` after it.
struct IdentityHead: Sendable {
    private let neck: BatchNorm
    private let classifier: Tensor

    /// Takes the parameters of a neck and a classifier [identities, width].
    init(neck: ParameterScope, classifier: ParameterScope, width: Int, identities: Int) throws {
        self.neck = try BatchNorm(neck, width: width, trainsBias: false)
        self.classifier = try classifier.parameter("weight", [identities, width])
    }

    /// [B, D] → the logits [B, identities].
    func callAsFunction(_ x: Tensor) -> Tensor { classified(neck(x)) }

    /// Blocks of a feature, each normalised over its own rows; see `BatchNorm`.
    func necked(_ blocks: [Tensor?]) -> [Tensor?] { neck(blocks: blocks) }

    /// The logits of what the neck has made: [B, D] → [B, identities].
    func classified(_ x: Tensor) -> Tensor { x.linear(weight: classifier, bias: nil) }
}
