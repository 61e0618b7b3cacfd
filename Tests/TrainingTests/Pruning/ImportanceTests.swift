import Inference
import Tensor
import Testing
import Training

@Suite("Importance")
struct ImportanceTests {
    /// Two heads of width 1 in a model of width 2: qkv.weight is [3 parts × 2 heads, 2].
    private let slices = [
        UnitLayer.Slice(path: "qkv", axis: 0, parts: 3, width: 1), UnitLayer.Slice(path: "bias", axis: 0, parts: 3),
        UnitLayer.Slice(path: "proj", axis: 1, width: 1),
    ]
    private let weights = Weights([
        "qkv": Tensor([1, 2, -3, 4, 5, -6, 7, 8, -9, 10, 11, 12], shape: [6, 2]),
        "bias": Tensor([1, 1, 2, 2, 3, -3], shape: [6]), "proj": Tensor([1, -2, 3, 4], shape: [2, 2]),
    ])

    @Test("a unit's magnitude is the mean of |w| over its weights, biases left out")
    func magnitude() {
        let units = Importance.magnitude(of: weights, paths: ["qkv", "bias", "proj"]).units(slices, count: 2)
        // Head 0 has rows 0, 2 and 4 of qkv and column 0 of proj; head 1 the others.
        #expect(units == [Float(1 + 2 + 5 + 6 + 9 + 10 + 1 + 3) / 8, Float(3 + 4 + 7 + 8 + 11 + 12 + 2 + 4) / 8])
    }

    @Test("a unit's Taylor importance is the sum of |w·g|, averaged over the batches")
    func taylor() {
        let ones = ["qkv": Tensor(repeating: 1, shape: [6, 2]), "bias": Tensor(repeating: -1, shape: [6])]
        // In the second batch only proj has a gradient; the signs of the batches must not cancel.
        let second = [
            "proj": Tensor([2, 1, -2, 0], shape: [2, 2]), "qkv": Tensor(repeating: -1, shape: [6, 2]),
        ]
        var batches = [ones, second][...]
        let importance = Importance.taylor(of: weights, paths: ["bias", "proj", "qkv"], batches: 2) {
            batches.popFirst() ?? [:]
        }
        let units = importance.units(slices, count: 2)
        let head0 = Float(33 + 33) / 2 + Float(1 + 2 + 3) / 2 + Float(2 + 6) / 2
        let head1 = Float(45 + 45) / 2 + Float(1 + 2 + 3) / 2 + Float(2 + 0) / 2
        #expect(units == [head0, head1])
    }

    @Test("Taylor importance of a loss worked out by hand")
    func loss() throws {
        // loss = (w·x)² with w = 3, x = 2: the gradient is 2·6·2 = 24, and |w·g| = 72.
        let weight = Tensor([3], shape: [1, 1])
        let product = weight.tracked(as: "w").matmul(Tensor([2], shape: [1, 1]))
        let importance = Importance.taylor(of: Weights(["w": weight]), paths: ["w"], batches: 1) {
            gradients(of: product.squared().sum())
        }
        #expect(importance.elements["w"]?.scalars == [72])
    }
}
