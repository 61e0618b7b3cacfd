import Tensor

/// Tokens that ask others by attention, added to what they find: x + W·attention(Q(x), K(y), V(y)) (Vaswani et al., 2017,
/// eq. 1), over a quarter of the features. MixER's branches ask each other so (MixER, Table B.5).
struct CrossAttention: Sendable {
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let projection: Linear

    init(_ scope: ParameterScope, width: Int) throws {
        let inner = ModelConfiguration.MixERHead.attentionWidth(width)
        let layer = { (name: String) in try Linear(scope.scope(name), inputs: width, outputs: inner) }
        (query, key, value) = (try layer("query"), try layer("key"), try layer("value"))
        projection = try Linear(scope.scope("projection"), inputs: inner, outputs: width)
    }

    /// [B, N, D], as many of either → [B, N, D].
    func callAsFunction(_ own: Tensor, asking other: Tensor) -> Tensor {
        // Self-attention's kernel reads queries, keys and values side by side, wherever they come from.
        let joined = Tensor.concatenated([query(own), key(other), value(other)], axis: 2)
        return projection(
            Tensor.attention(joined, heads: ModelConfiguration.MixERHead.attentionHeads), residual: own)
    }
}
