extension Tensor {
    /// Multi-head scaled dot-product self-attention (Vaswani et al., 2017, eq. 1).
    ///
    /// - Parameters:
    ///   - qkv: [B, N, 3·D], queries, keys and values as one linear layer writes them, the heads side by side in each.
    ///   - heads: how many; divides D.
    ///   - mask: [B, N], 0 where a token counts and -∞ where it does not; nil if all do.
    ///   - dropout: [B, heads, N, N], multiplied with the probabilities: 0, or 1/(1-p) where one is kept.
    ///   - isNarrow: whether queries, keys, values and probabilities are rounded to bfloat16 before they are multiplied; gradients go
    ///     straight through.
    /// - Returns: [B, N, D]. O(B·N²·D).
    public static func attention(
        _ qkv: Tensor, heads: Int, mask: Tensor? = nil, dropout: Tensor? = nil, isNarrow: Bool = false
    ) -> Tensor {
        precondition(
            qkv.shape.rank == 3 && qkv.shape[2] % (3 * heads) == 0, "attention of \(heads) heads over \(qkv.shape)")
        let sizes = Kernels.AttentionSizes(
            batch: qkv.shape[0], tokens: qkv.shape[1], heads: heads, width: qkv.shape[2] / 3 / heads)
        guard qkv.isTracked || dropout != nil else {
            return Kernels.attention(qkv, sizes, mask: mask, isNarrow: isNarrow)
        }
        let qkv = isNarrow ? qkv.rounded(to: .bfloat16) : qkv
        let probabilities = Kernels.attentionProbabilities(qkv, sizes, mask: mask)
        let kept = dropout.map { Kernels.combine(probabilities, $0, Kernels.Multiplying.self) } ?? probabilities
        let used = isNarrow ? kept.rounded(to: .bfloat16) : kept
        let input = qkv.detached
        return Kernels.attend(used, qkv, sizes).recorded(from: [qkv]) { gradient in
            var inner = Kernels.attendBackward(gradient, input, sizes)
            if let dropout { inner = Kernels.combine(inner, dropout, Kernels.Multiplying.self) }
            let scores = Kernels.softmaxBackward(probabilities, inner, logarithm: false)
            return [
                Kernels.attentionBackward(
                    scores: scores, output: gradient, probabilities: used, qkv: input, sizes)
            ]
        }
    }
}

extension Tensor {
    /// How much each token attends to each other: [B, heads, N, N], rows that sum to 1, off the tape.
    ///
    /// - Parameters:
    ///   - qkv: as in `attention(_:heads:mask:dropout:)`.
    ///   - heads: how many; divides D.
    public static func attentionProbabilities(_ qkv: Tensor, heads: Int) -> Tensor {
        precondition(
            qkv.shape.rank == 3 && qkv.shape[2] % (3 * heads) == 0, "attention of \(heads) heads over \(qkv.shape)")
        let sizes = Kernels.AttentionSizes(
            batch: qkv.shape[0], tokens: qkv.shape[1], heads: heads, width: qkv.shape[2] / 3 / heads)
        return Kernels.attentionProbabilities(qkv, sizes, mask: nil)
    }

    /// Softmax over the innermost axis.
    public func softmax() -> Tensor { softmax(logarithm: false) }

    /// The logarithm of the softmax over the innermost axis, without overflow.
    public func logSoftmax() -> Tensor { softmax(logarithm: true) }

    private func softmax(logarithm: Bool) -> Tensor {
        let output = Kernels.softmax(self, logarithm: logarithm)
        // The untracked result: no cycle.
        return output.recorded(from: [self]) { [Kernels.softmaxBackward(output, $0, logarithm: logarithm)] }
    }
}
