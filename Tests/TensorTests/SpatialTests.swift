import Tensor
import Testing

@Suite("Images")
struct SpatialTests {
    /// The definition, one product at a time.
    private func convolution(_ x: Tensor, _ w: Tensor, stride: Int, padding: Int) -> [Float] {
        let (b, h, wd, c, o, k) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3], w.shape[0], w.shape[2])
        let (xs, ws) = (x.scalars, w.scalars)
        let out = { (size: Int) in (size + 2 * padding - k) / stride + 1 }
        var result: [Float] = []
        for n in 0..<b {
            for i in 0..<out(h) {
                for j in 0..<out(wd) {
                    for f in 0..<o {
                        var sum: Float = 0
                        for p in 0..<k {
                            for q in 0..<k {
                                let (y, z) = (i * stride + p - padding, j * stride + q - padding)
                                guard (0..<h).contains(y), (0..<wd).contains(z) else { continue }
                                for m in 0..<c {
                                    sum += xs[((n * h + y) * wd + z) * c + m] * ws[((f * c + m) * k + p) * k + q]
                                }
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return result
    }

    @Test("a convolution is its definition", arguments: [(1, 1, 0), (3, 1, 1), (3, 2, 1), (7, 2, 3), (1, 2, 0)])
    func convolution(kernel: Int, stride: Int, padding: Int) {
        for channels in [3, 16] {
            let x = sample([2, 9, 8, channels], seed: 1)
            let w = sample([5, channels, kernel, kernel], seed: 2)
            let found = x.convolved(weight: w, stride: stride, padding: padding)
            expectClose(found, convolution(x, w, stride: stride, padding: padding), 1e-4)
        }
    }

    @Test("convolutions have the gradients of finite differences", arguments: [(1, 1, 0), (3, 1, 1), (3, 2, 1)])
    func convolutionGradients(kernel: Int, stride: Int, padding: Int) {
        checkGradients([sample([2, 5, 4, 3], seed: 1), sample([4, 3, kernel, kernel], seed: 2)]) {
            $0[0].convolved(weight: $0[1], stride: stride, padding: padding)
        }
    }

    /// Winograd's, windows in images as they are, and windows in images given an edge. With so many images a few threads
    /// transform their own tiles for Winograd's; with one image they share them.
    @Test(
        "a packed convolution with bias, residual and ReLU is the plain one",
        arguments: [
            (16, 32, 3, 1, 1), (48, 80, 3, 1, 1), (24, 16, 3, 2, 1), (3, 20, 7, 2, 3), (16, 70, 1, 1, 0),
            (3, 8, 4, 4, 0),
        ])
    func packed(channels: Int, outputs: Int, kernel: Int, stride: Int, padding: Int) {
        let (x, w) = (sample([16, 9, 8, channels], seed: 1), sample([outputs, channels, kernel, kernel], seed: 2))
        let bias = sample([outputs], seed: 3)
        let packed = PackedConvolution(w, bias: bias, stride: stride, padding: padding, height: 9, width: 8)
        let plain = x.convolved(weight: w, stride: stride, padding: padding) + bias
        let residual = sample(plain.shape, seed: 4)
        expectClose(packed.convolve(x), plain.scalars, 1e-4)
        expectClose(packed.convolve(x, residual: residual, relu: true), (plain + residual).relu().scalars, 1e-4)
        let alone = packed.convolve(x.sliced(axis: 0, 1..<2))
        #expect(alone.scalars == packed.convolve(x).sliced(axis: 0, 1..<2).scalars, "an image depends on its batch")
    }

    @Test("max pooling takes the largest of each window and sends the gradient there")
    func pooling() {
        let x = Tensor([1, 5, 2, 0, -1, 3, 4, 9, -7, -8, -6, -5, 0, 0, 1, 2], shape: [1, 4, 4, 1])
        expectClose(x.maxPooled(kernel: 2, stride: 2), [5, 9, 0, 2])
        expectClose(x.maxPooled(kernel: 3, stride: 2, padding: 1), [5, 9, 3, 9])
        // Distinct values, far enough apart for the step of the differences.
        let values: [Float] = (0..<120).map { Float(($0 * 37) % 120) * 0.1 }
        checkGradients([Tensor(values, shape: [2, 5, 4, 3])]) { $0[0].maxPooled(kernel: 3, stride: 2, padding: 1) }
    }

    @Test("stripes are PyTorch's adaptive windows, which overlap where they must")
    func stripes() {
        let x = Tensor((0..<8).map(Float.init), shape: [1, 8, 1, 1])
        expectClose(x.stripesAveraged(4), [0.5, 2.5, 4.5, 6.5])
        expectClose(x.stripesAveraged(3), [1, 3.5, 6])  // Rows 0–2, 2–5, 5–7.
        checkGradients([sample([2, 8, 3, 2], seed: 1)]) { $0[0].stripesAveraged(3) }
    }

    @Test("batch norm of images normalises each channel over all pixels, with its gradients")
    func batchNorm() {
        let x = sample([3, 4, 2, 5], seed: 1)
        let (weight, bias) = (sample([5], seed: 2), sample([5], seed: 3))
        let result = x.batchNorm(weight: weight, bias: bias, epsilon: 1e-5)
        #expect(result.rows == 24)
        let fixed = x.batchNorm(
            weight: weight, bias: bias, mean: result.mean, variance: result.variance, epsilon: 1e-5)
        expectClose(result.output, fixed.scalars)
        checkGradients([x, weight, bias], tolerance: 5e-3) {
            $0[0].batchNorm(weight: $0[1], bias: $0[2], epsilon: 1e-5).output
        }
    }

    @Test("the largest over an axis shares its gradient among equals")
    func largest() {
        let x = Tensor([1, 4, 4, 2, 0, 4], shape: [3, 2]).tracked(as: "x")
        let largest = x.largest(axis: 0)
        expectClose(largest, [4, 4])
        let gradient = gradients(of: (largest * Tensor([1, 6], shape: [2])).sum())["x"]
        expectClose(gradient ?? Tensor(0), [0, 3, 1, 0, 0, 3])
        checkGradients([Tensor((0..<24).map { Float(($0 * 7) % 24) }, shape: [2, 4, 3])]) { $0[0].largest(axis: 1) }
    }

    @Test("sigmoid, reciprocal, row normalisation and repetition have the gradients of finite differences")
    func elementwise() {
        checkGradients([sample([3, 4], seed: 1, scale: 3)]) { $0[0].sigmoid() }
        checkGradients([sample([3, 4], seed: 2).adding(3)]) { $0[0].reciprocal() }
        checkGradients([sample([3, 4], seed: 3)]) { $0[0].normalizedRows() }
        checkGradients([sample([3, 4], seed: 4)]) { $0[0].repeated(5, axis: 1) }
    }

    @Test("gradient reversal changes nothing but the gradient's sign")
    func reversal() {
        let x = sample([3], seed: 1).tracked(as: "x")
        expectClose(x.reversingGradient(), x.scalars)
        let gradient = gradients(of: x.reversingGradient().sum())["x"]
        expectClose(gradient ?? Tensor(0), [-1, -1, -1])
    }

    @Test("attention does not see masked tokens")
    func maskedAttention() {
        let qkv = sample([1, 3, 12], seed: 1)
        let mask = Tensor([0, 0, -.infinity], shape: [1, 3])
        let masked = Tensor.attention(qkv, heads: 2, mask: mask).sliced(axis: 1, 0..<2)
        expectClose(masked, Tensor.attention(qkv.sliced(axis: 1, 0..<2), heads: 2).scalars)
        checkGradients([qkv]) { Tensor.attention($0[0], heads: 2, mask: mask) }
    }
}
