import Foundation
import Tensor
import Testing

@Suite("Products")
struct ProductTests {
    @Test("GELU beside a product is that of the error function, to the last digits, wherever it bends")
    func gelu() {
        let values = (-6000...6000).map { Float($0) / 500 }
        let one = PackedWeights(Tensor([1], shape: [1, 1]), bias: nil)
        let found = one.multiply(Tensor(values, shape: [values.count, 1]), activation: .gelu).scalars
        for (x, y) in zip(values, found) {
            let expected = Double(x) * 0.5 * erfc(-Double(x) / 2.0.squareRoot())
            #expect(abs(Double(y) - expected) <= 2e-7 * max(1, abs(Double(x))), "GELU of \(x)")
        }
    }

    @Test("QuickGELU beside a product is that of the exponential, however far out")
    func quickGELU() {
        let values = (-6000...6000).map { Float($0) / 50 }
        let one = PackedWeights(Tensor([1], shape: [1, 1]), bias: nil)
        let found = one.multiply(Tensor(values, shape: [values.count, 1]), activation: .quickGELU).scalars
        for (x, y) in zip(values, found) {
            let expected = Double(x) / (1 + exp(-1.702 * Double(x)))
            #expect(abs(Double(y) - expected) <= 4e-7 * max(1, abs(Double(x))), "QuickGELU of \(x)")
        }
    }

    @Test("a product of small matrices has the values done by hand")
    func values() {
        let a = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
        let b = Tensor([1, 0, 2, 1, 0, 3], shape: [3, 2])
        expectClose(a.matmul(b), [5, 11, 14, 23])
        expectClose(a.matmul(a, transposingSecond: true), [14, 32, 32, 77])
        expectClose(a.matmul(a, transposingFirst: true), [17, 22, 27, 22, 29, 36, 27, 36, 45])
    }

    @Test("products have the gradients of finite differences", arguments: [false, true], [false, true])
    func gradients(first: Bool, second: Bool) {
        let a = sample(first ? [4, 3] : [3, 4], seed: 1)
        let b = sample(second ? [5, 4] : [4, 5], seed: 2)
        checkGradients([a, b]) { $0[0].matmul($0[1], transposingFirst: first, transposingSecond: second) }
    }

    @Test("batched products multiply each matrix on its own")
    func batched() {
        let (a, b) = (sample([2, 3, 4, 5], seed: 1), sample([2, 3, 5, 2], seed: 2))
        let whole = a.matmul(b)
        for i in 0..<2 {
            for j in 0..<3 {
                let pick = { (t: Tensor) in
                    t.sliced(axis: 0, i..<(i + 1)).sliced(axis: 1, j..<(j + 1))
                        .reshaped([t.shape[2], t.shape[3]])
                }
                expectClose(pick(whole), pick(a).matmul(pick(b)).scalars)
            }
        }
        checkGradients([sample([2, 3, 4], seed: 3), sample([2, 4, 2], seed: 4)]) { $0[0].matmul($0[1]) }
    }

    @Test("a linear layer is x·Wᵀ + b with its gradients")
    func linear() {
        let x = Tensor([1, 2], shape: [1, 2])
        let weight = Tensor([1, 1, 0, 2, -1, 0], shape: [3, 2])
        expectClose(x.linear(weight: weight, bias: Tensor([0.5, 0, 1], shape: [3])), [3.5, 4, 0])
        checkGradients([sample([2, 3, 4], seed: 1), sample([5, 4], seed: 2), sample([5], seed: 3)]) {
            $0[0].linear(weight: $0[1], bias: $0[2])
        }
        checkGradients([sample([3, 4], seed: 1), sample([5, 4], seed: 2)]) {
            $0[0].linear(weight: $0[1], bias: nil)
        }
    }

    @Test(
        "packed weights with fused bias, activation or residual agree with the plain operations",
        arguments: [Activation.identity, .relu, .gelu, .quickGELU],
        [(1, 8, 8), (7, 48, 64), (130, 96, 33), (20, 2500, 130)])
    func packed(activation: Activation, sizes: (rows: Int, inputs: Int, outputs: Int)) {
        let x = sample([sizes.rows, sizes.inputs], seed: 1)
        let weight = sample([sizes.outputs, sizes.inputs], seed: 2)
        let bias = sample([sizes.outputs], seed: 3)
        let residual = sample([sizes.rows, sizes.outputs], seed: 4)
        let plain = x.linear(weight: weight, bias: bias)
        let packed = PackedWeights(weight, bias: bias)
        expectClose(packed.multiply(x, activation: activation), plain.activated(activation).scalars, 3e-4)
        expectClose(packed.multiply(x, residual: residual), (plain + residual).scalars, 3e-4)
        expectClose(
            PackedWeights(weight, bias: nil).multiply(x), x.linear(weight: weight, bias: nil).scalars, 3e-4)
    }

    @Test("a row's product has the same bits alone and among others")
    func rowsAreIndependent() {
        let x = sample([67, 150], seed: 1)
        let packed = PackedWeights(sample([100, 150], seed: 2), bias: nil)
        let together = packed.multiply(x)
        for row in [0, 5, 6, 66] {
            let alone = packed.multiply(x.sliced(axis: 0, row..<(row + 1)))
            #expect(alone.scalars == together.sliced(axis: 0, row..<(row + 1)).scalars)
        }
    }

    @Test("attention for inference is that for training", arguments: [(5, 3, 4), (70, 2, 24), (198, 1, 64)])
    func fusedAttention(tokens: Int, heads: Int, width: Int) {
        let qkv = sample([2, tokens, 3 * heads * width], seed: 5).scaled(by: 3)
        let mask = Tensor((0..<(2 * tokens)).map { $0 % 7 == 3 ? -Float.infinity : 0 }, shape: [2, tokens])
        for mask in [nil, mask] {
            let tracked = Tensor.attention(qkv.tracked(as: "qkv"), heads: heads, mask: mask)
            expectClose(Tensor.attention(qkv, heads: heads, mask: mask), tracked.scalars, 1e-5)
        }
    }

    @Test("attention equals its definition, head by head")
    func attention() {
        let (batch, tokens, heads, width) = (2, 5, 3, 4)
        let model = heads * width
        let qkv = sample([batch, tokens, 3 * model], seed: 5)
        let found = Tensor.attention(qkv, heads: heads)
        #expect(found.shape == [batch, tokens, model])
        let split = qkv.reshaped([batch, tokens, 3, heads, width]).transposed([2, 0, 3, 1, 4])
        let part = { (i: Int) in split.sliced(axis: 0, i..<(i + 1)).reshaped([batch, heads, tokens, width]) }
        let weights = part(0).matmul(part(1), transposingSecond: true).scaled(by: 0.5).softmax()
        let expected = weights.matmul(part(2)).transposed([0, 2, 1, 3]).reshaped([batch, tokens, model])
        expectClose(found, expected.scalars)
    }

    @Test("attention has the gradients of finite differences, with and without dropout")
    func attentionGradients() {
        let qkv = sample([2, 3, 3 * 4], seed: 6)
        checkGradients([qkv]) { Tensor.attention($0[0], heads: 2) }
        let mask = sample([2, 2, 3, 3], seed: 7)
        let dropout = Tensor(mask.scalars.map { $0 > -0.5 ? 1.25 : 0 }, shape: mask.shape)
        checkGradients([qkv]) { Tensor.attention($0[0], heads: 2, dropout: dropout) }
    }
}
