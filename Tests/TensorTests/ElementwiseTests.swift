import Foundation
import Tensor
import Testing

@Suite("Elementwise operations, reductions and normalisations")
struct ElementwiseTests {
    private let a = sample([2, 3, 4], seed: 1)
    private let b = sample([2, 3, 4], seed: 2)
    private let row = sample([4], seed: 3)

    @Test("arithmetic has the gradients of finite differences, broadcast over leading axes too")
    func arithmetic() {
        for other in [b, row] {
            checkGradients([a, other]) { $0[0] + $0[1] }
            checkGradients([a, other]) { $0[0] - $0[1] }
            checkGradients([a, other]) { $0[0] * $0[1] }
        }
        checkGradients([a]) { (-$0[0]).scaled(by: 3).adding(2) }
        checkGradients([a, b]) { Tensor.mean(of: [$0[0], $0[1], $0[0]]) }
        expectClose(Tensor([1, 2, 3, 4], shape: [2, 2]) + Tensor([10, 20], shape: [2]), [11, 22, 13, 24])
    }

    @Test("a product repeated along an axis has the gradients of finite differences")
    func repeatedProduct() {
        for (axis, other) in [(0, [3, 4]), (1, [2, 4]), (-1, [2, 3])] as [(Int, Shape)] {
            checkGradients([a, sample(other, seed: 3)]) { $0[0].multiplied(by: $0[1], repeatedAlong: axis) }
        }
        let x = Tensor([1, 2, 3, 4], shape: [2, 2])
        expectClose(x.multiplied(by: Tensor([10, 20], shape: [2]), repeatedAlong: 1), [10, 20, 60, 80])
    }

    /// Large enough for more than one piece; sums of whole numbers, so that they are exact.
    @Test("what is done in pieces is what is done at once", arguments: [0, 1, 2])
    func pieces(axis: Int) {
        let (shape, sizes) = ([3, 129, 517] as Shape, [3, 129, 517])
        let x = Tensor((0..<shape.count).map { Float($0 * 7919 % 1009) }, shape: shape)
        let (n, inner) = (sizes[axis], sizes[(axis + 1)...].reduce(1, *))
        let others = (0..<(shape.count / n)).map { $0 / inner * n * inner + $0 % inner }
        let columns = others.map { first in (0..<n).map { x.scalars[first + $0 * inner] } }
        let sum = x.sum(axis: axis)
        #expect(sum.scalars == columns.map { $0.reduce(0, +) })
        #expect(x.largest(axis: axis).scalars == columns.map { $0.max() })
        let product = x.multiplied(by: sum, repeatedAlong: axis)
        #expect(product.scalars == (x * sum.repeated(n, axis: axis)).scalars)
        #expect(product.scalars.last == x.scalars[shape.count - 1] * sum.scalars[sum.count - 1])
    }

    @Test("activations have PyTorch's values")
    func activationValues() {
        let x = Tensor([-3, -0.5, 0, 0.5, 3, 40, -40], shape: [7])
        expectClose(x.gelu(), [-0.00404951, -0.15426877, 0, 0.34573123, 2.9959507, 40, 0], 1e-6)
        expectClose(x.activated(.quickGELU), [-0.01807131, -0.14961156, 0, 0.35038844, 2.9819287, 40, 0], 1e-6)
        expectClose(x.relu(), [0, 0, 0, 0.5, 3, 40, 0])
        expectClose(x.softplus(), [0.04858735, 0.474077, 0.6931472, 0.974077, 3.0485873, 40, 0], 1e-6)
        expectClose(Tensor([4, 0, -1], shape: [3]).squareRoot(clampedTo: 1e-12), [2, 1e-6, 1e-6])
    }

    @Test("activations have the gradients of finite differences")
    func activations() {
        checkGradients([a]) { $0[0].gelu() }
        checkGradients([a]) { $0[0].activated(.quickGELU) }
        checkGradients([a]) { $0[0].softplus() }
        checkGradients([a]) { $0[0].squared() }
        let positive = a.squared().adding(0.5)
        checkGradients([positive]) { $0[0].squareRoot(clampedTo: 1e-12) }
        let away = Tensor(a.scalars.map { $0 < 0 ? $0 - 0.1 : $0 + 0.1 }, shape: a.shape)  // Not at the kink.
        checkGradients([away]) { $0[0].relu() }
    }

    @Test("a clamped square root has no gradient below its floor")
    func clamped() {
        let x = Tensor([0, 4], shape: [2]).tracked(as: "x")
        let found = gradients(of: x.squareRoot(clampedTo: 1e-12).sum())["x"]
        #expect(found?.scalars == [0, 0.25])
    }

    @Test("reductions over any axis")
    func reductions() {
        expectClose(Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]).sum(axis: 0), [5, 7, 9])
        expectClose(Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]).mean(axis: -1), [2, 5])
        for axis in 0..<3 { checkGradients([a]) { $0[0].sum(axis: axis) } }
        checkGradients([a]) { $0[0].mean() }
        checkGradients([row]) { $0[0].broadcast(leading: 3) }
    }

    @Test("softmax and its logarithm sum to one and survive large values")
    func softmax() {
        expectClose(Tensor([1, 2, 3], shape: [1, 3]).softmax(), [0.09003057, 0.24472848, 0.66524094], 1e-6)
        expectClose(Tensor([1000, 0], shape: [1, 2]).logSoftmax(), [0, -1000])
        checkGradients([a]) { $0[0].softmax() }
        checkGradients([a]) { $0[0].logSoftmax() }
    }

    @Test("layer norm has PyTorch's values, tracked or not, and its gradients")
    func layerNorm() {
        let x = Tensor([1, 2, 4, 0, 0, 3], shape: [2, 3])
        let (weight, bias) = (Tensor([1, 2, 0.5], shape: [3]), Tensor([0, 0.1, -1], shape: [3]))
        let expected: [Float] = [
            -1.0690437, -0.43451858, -0.33184758, -0.7071063, -1.3142127, -0.29289365,
        ]
        expectClose(x.layerNorm(weight: weight, bias: bias, epsilon: 1e-6), expected, 1e-4)
        expectClose(x.tracked(as: "x").layerNorm(weight: weight, bias: bias, epsilon: 1e-6), expected, 1e-4)
        checkGradients([sample([3, 5], seed: 4), sample([5], seed: 5), sample([5], seed: 6)], tolerance: 5e-3) {
            $0[0].layerNorm(weight: $0[1], bias: $0[2], epsilon: 1e-5)
        }
    }

    @Test("batch norm normalises by the batch and returns its biased statistics")
    func batchNorm() {
        let x = Tensor([1, 2, 3, 6], shape: [2, 2])
        let (weight, bias) = (Tensor([1, 2], shape: [2]), Tensor([0, 1], shape: [2]))
        let result = x.batchNorm(weight: weight, bias: bias, epsilon: 0)
        expectClose(result.output, [-1, -1, 1, 3])
        expectClose(result.mean, [2, 4])
        expectClose(result.variance, [1, 4])
        let fixed = x.batchNorm(
            weight: weight, bias: bias, mean: result.mean, variance: result.variance, epsilon: 0)
        expectClose(fixed, [-1, -1, 1, 3])
        checkGradients([sample([4, 3], seed: 7), sample([3], seed: 8), sample([3], seed: 9)], tolerance: 5e-3) {
            $0[0].batchNorm(weight: $0[1], bias: $0[2], epsilon: 1e-5).output
        }
    }
}
