import CKernels

extension Kernels {
    /// The sizes of one multi-head self-attention over interleaved queries, keys and values: qkv is
    /// [batch, tokens, 3, heads, width], as one linear layer writes it.
    struct AttentionSizes {
        let batch: Int
        let tokens: Int
        let heads: Int
        let width: Int

        var scale: Float { 1 / Float(width).squareRoot() }
        var model: Int { heads * width }
        var scores: Shape { [batch, heads, tokens, tokens] }

        /// Queries (0), keys (1) or values (2) as [batch, heads] matrices [tokens, width] inside qkv.
        func part(_ index: Int) -> MatrixLayout {
            MatrixLayout(offset: index * model, batch: [tokens * 3 * model, width], row: 3 * model, column: 1)
        }

        /// The heads' results as matrices [tokens, width] inside [batch, tokens, heads·width].
        var output: MatrixLayout { MatrixLayout(batch: [tokens * model, width], row: model, column: 1) }

        var square: MatrixLayout {
            MatrixLayout(batch: [heads * tokens * tokens, tokens * tokens], row: tokens, column: 1)
        }

        func product(_ m: Int, _ n: Int, _ k: Int, _ a: MatrixLayout, _ b: MatrixLayout, _ c: MatrixLayout) -> Product {
            Product(batch: [batch, heads], m: m, n: n, k: k, a: a, b: b, c: c)
        }
    }

    /// The whole attention at once, for when nothing in between is wanted later: of float32s, or of bfloat16s with the softmax of
    /// float32s.
    static func attention(_ qkv: Tensor, _ sizes: AttentionSizes, mask: Tensor?, isNarrow: Bool) -> Tensor {
        let count = isNarrow ? ck_narrow_attention_scratch : ck_attention_scratch
        let attend = isNarrow ? ck_narrow_attention : ck_attention
        let scratch = Storage(count: Int(count(Int64(sizes.tokens), Int64(sizes.width))))
        return read(qkv) { qkv_ in
            make([sizes.batch, sizes.tokens, sizes.model]) { y in
                withExtendedLifetime((mask, scratch)) {
                    attend(
                        Int64(sizes.batch), Int64(sizes.tokens), Int64(sizes.heads), Int64(sizes.width), sizes.scale,
                        qkv_, mask?.storage.elements.baseAddress, scratch.elements.baseAddress, y)
                }
            }
        }
    }

    /// softmax(q·kᵀ / √width + mask) of each head.
    static func attentionProbabilities(_ qkv: Tensor, _ sizes: AttentionSizes, mask: Tensor?) -> Tensor {
        var product = sizes.product(
            sizes.tokens, sizes.tokens, sizes.width, sizes.part(0), sizes.part(1).transposed, sizes.square)
        product.scale = sizes.scale
        var scores = multiply(product, qkv, qkv, into: sizes.scores)
        if let mask { scores = zip(scores, spread(mask, over: sizes), +) }
        return softmax(scores, logarithm: false)
    }

    /// [batch, tokens] repeated for every head and query.
    private static func spread(_ mask: Tensor, over sizes: AttentionSizes) -> Tensor {
        let rows = `repeat`(mask, along: 1, of: [sizes.batch, sizes.heads * sizes.tokens, sizes.tokens], scaledBy: 1)
        return rows.reshaped(sizes.scores)
    }

    /// probabilities · v, the heads side by side: [batch, tokens, heads·width].
    static func attend(_ probabilities: Tensor, _ qkv: Tensor, _ sizes: AttentionSizes) -> Tensor {
        let product = sizes.product(
            sizes.tokens, sizes.width, sizes.tokens, sizes.square, sizes.part(2), sizes.output)
        return multiply(product, probabilities, qkv, into: [sizes.batch, sizes.tokens, sizes.model])
    }

    /// The gradient with respect to the probabilities: gradient · vᵀ.
    static func attendBackward(_ gradient: Tensor, _ qkv: Tensor, _ sizes: AttentionSizes) -> Tensor {
        let product = sizes.product(
            sizes.tokens, sizes.tokens, sizes.width, sizes.output, sizes.part(2).transposed, sizes.square)
        return multiply(product, gradient, qkv, into: sizes.scores)
    }

    /// The gradient with respect to qkv, from those of the scores (before softmax, after scaling) and of the output.
    static func attentionBackward(
        scores: Tensor, output: Tensor, probabilities: Tensor, qkv: Tensor, _ sizes: AttentionSizes
    ) -> Tensor {
        let (t, w) = (sizes.tokens, sizes.width)
        var query = sizes.product(t, w, t, sizes.square, sizes.part(1), sizes.part(0))
        var key = sizes.product(t, w, t, sizes.square.transposed, sizes.part(0), sizes.part(1))
        (query.scale, key.scale) = (sizes.scale, sizes.scale)
        let value = sizes.product(t, w, t, sizes.square.transposed, sizes.output, sizes.part(2))
        return make(qkv.shape) { target in
            multiply(query, scores, qkv, into: target)
            multiply(key, scores, qkv, into: target)
            multiply(value, probabilities, output, into: target)
        }
    }
}
