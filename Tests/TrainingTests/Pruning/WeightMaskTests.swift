import Inference
import Tensor
import Testing
import Training

@Suite("Masks of single weights")
struct WeightMaskTests {
    private let weights = Weights([
        "a": Tensor([4, -1, 3, -2], shape: [2, 2]), "b": Tensor([0.5, -6, 0.1, 5], shape: [2, 2]),
    ])

    private var importance: Importance { .magnitude(of: weights, paths: ["a", "b"]) }

    @Test("a layer loses its own least weights, whatever others have")
    func layer() {
        let mask = WeightMask(importance, removing: 0.5, scope: .layer)
        #expect(mask.kept == ["a": [true, false, true, false], "b": [false, true, false, true]])
        #expect(mask.sparsity == 0.5)
    }

    @Test("globally the least weights of all go")
    func global() {
        let mask = WeightMask(importance, removing: 3.0 / 8, scope: .global)
        #expect(mask.kept == ["a": [true, false, true, true], "b": [false, true, false, true]])
    }

    @Test("of equal weights only as many go as the share asks for, the first ones first")
    func ties() {
        let equal = Importance.magnitude(of: Weights(["a": Tensor([1, -1, 1, 1], shape: [2, 2])]), paths: ["a"])
        #expect(WeightMask(equal, removing: 0.5, scope: .global).kept == ["a": [false, false, true, true]])
    }

    @Test("what was removed before stays removed, also where its score is higher now")
    func nested() {
        let previous = WeightMask(kept: ["a": [false, true, true, true]])
        let mask = WeightMask(importance, removing: 0.5, scope: .layer, within: previous)
        #expect(mask.kept["a"] == [false, false, true, true])
    }

    @Test("biases and norms are not worth anything by magnitude")
    func vectors() {
        let weights = Weights(["bias": Tensor([1, 2], shape: [2])])
        #expect(Importance.magnitude(of: weights, paths: ["bias", "absent"]).elements.isEmpty)
    }
}
