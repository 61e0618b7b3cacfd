import Tensor

/// The pre-norm transformer block of ViT and DeiT: x + MSA(LN(x)), then x + MLP(LN(x)) (Dosovitskiy et al., 2021,
/// eq. 2 and 3), with timm's names.
struct TransformerBlock: Sendable {
    private let norm1: LayerNorm
    private let qkv: Linear
    private let projection: Linear
    private let norm2: LayerNorm
    private let fc1: Linear
    private let fc2: Linear
    private let heads: Int
    private let dropPath: BlockDropPath?
    private let activation: Activation
    private let probe: ModelProbe.Place?
    /// Whether it has packed weights of fewer than 32 bits.
    var isNarrow: Bool { qkv.isPackedNarrowly || fc1.isPackedNarrowly }

    /// - Parameter index: of the block, from 0: pruning may have left each another number of heads and neurons.
    init(_ scope: ParameterScope, _ configuration: ModelConfiguration.Backbone.ViT, index: Int) throws {
        let (width, hidden) = (configuration.width, configuration.hidden(ofBlock: index))
        heads = configuration.heads(ofBlock: index)
        let inner = heads * configuration.headWidth
        probe = scope.probe
        let epsilon = Float(configuration.variant.normEpsilon)
        activation = configuration.variant.activation == .gelu ? .gelu : .quickGELU
        norm1 = try LayerNorm(scope.scope("norm1"), width: width, epsilon: epsilon)
        qkv = try Linear(scope.scope("attn.qkv"), inputs: width, outputs: 3 * inner)
        projection = try Linear(scope.scope("attn.proj"), inputs: inner, outputs: width)
        norm2 = try LayerNorm(scope.scope("norm2"), width: width, epsilon: epsilon)
        fc1 = try Linear(scope.scope("mlp.fc1"), inputs: width, outputs: hidden)
        fc2 = try Linear(scope.scope("mlp.fc2"), inputs: hidden, outputs: width)
        dropPath = BlockDropPath(scope.dropPath, index: index, of: configuration.depth)
    }

    /// [B, N, D] → [B, N, D]; `mask` [B, N] is 0 where a token counts and -∞ where it does not.
    func callAsFunction(_ x: Tensor, mask: Tensor? = nil) -> Tensor {
        let tokens = qkv(norm1(x))
        probe?.attention(tokens, heads: heads)
        guard let kept = dropPath?.kept(x.shape[0], branches: 2) else {
            let attention = Tensor.attention(tokens, heads: heads, mask: mask, isNarrow: qkv.isNarrow)
            let attended = projection(attention, residual: x)
            return fc2(fc1(norm2(attended), activation: activation), residual: attended)
        }
        let attention = projection(Tensor.attention(tokens, heads: heads, mask: mask))
        let attended = x + attention.multiplied(bySample: kept[0])
        return attended + fc2(fc1(norm2(attended), activation: activation)).multiplied(bySample: kept[1])
    }
}

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

    /// The final norm of a transformer.
    init(_ scope: ParameterScope, of vit: ModelConfiguration.Backbone.ViT) throws {
        try self.init(scope, width: vit.width, epsilon: Float(vit.variant.normEpsilon))
    }

    func callAsFunction(_ x: Tensor) -> Tensor { x.layerNorm(weight: weight, bias: bias, epsilon: epsilon) }
}
