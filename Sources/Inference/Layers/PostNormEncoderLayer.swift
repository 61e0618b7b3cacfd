import Tensor

/// PyTorch's `TransformerEncoderLayer` with its defaults: post-norm, ReLU (Vaswani et al., 2017, section 3.1). GraFT
/// has one a modality.
struct PostNormEncoderLayer: Sendable {
    private let attentionIn: Linear
    private let attentionOut: Linear
    private let norm1: LayerNorm
    private let linear1: Linear
    private let linear2: Linear
    private let norm2: LayerNorm
    private let heads: Int
    private let dropout: Dropout?
    private let probe: ModelProbe.Place?

    init(_ scope: ParameterScope, width: Int, heads: Int, feedforward: Int) throws {
        let attention = scope.scope("self_attn")
        attentionIn = Linear(
            attention, weight: try attention.parameter("in_proj_weight", [3 * width, width]),
            bias: try attention.parameter("in_proj_bias", [3 * width]),
            format: attention.format(of: "in_proj_weight"))
        attentionOut = try Linear(attention.scope("out_proj"), inputs: width, outputs: width)
        norm1 = try LayerNorm(scope.scope("norm1"), width: width, epsilon: 1e-5)
        linear1 = try Linear(scope.scope("linear1"), inputs: width, outputs: feedforward)
        linear2 = try Linear(scope.scope("linear2"), inputs: feedforward, outputs: width)
        norm2 = try LayerNorm(scope.scope("norm2"), width: width, epsilon: 1e-5)
        self.heads = heads
        dropout = scope.dropout
        probe = scope.probe
    }

    /// [B, N, D] → [B, N, D]. Dropout falls on the attention's probabilities, on both sublayers' results and inside the
    /// feed-forward, as in PyTorch.
    func callAsFunction(_ x: Tensor) -> Tensor {
        guard let dropout else {
            let tokens = attentionIn(x)
            probe?.attention(tokens, heads: heads)
            let attention = Tensor.attention(tokens, heads: heads, isNarrow: attentionIn.isNarrow)
            let attended = norm1(attentionOut(attention, residual: x))
            return norm2(linear2(linear1(attended, activation: .relu), residual: attended))
        }
        let mask = dropout.mask([x.shape[0], heads, x.shape[1], x.shape[1]])
        let attention = Tensor.attention(attentionIn(x), heads: heads, dropout: mask)
        let attended = norm1(x + dropout(attentionOut(attention)))
        return norm2(attended + dropout(linear2(dropout(linear1(attended, activation: .relu)))))
    }
}
