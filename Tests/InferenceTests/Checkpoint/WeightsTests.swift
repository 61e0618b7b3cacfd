import Inference
import Tensor
import Testing

@Suite("Weights")
struct WeightsTests {
    private let weights = Weights([
        "backbone.norm.weight": Tensor([1, 2], shape: [2]),
        "backbone.norm2.weight": Tensor([3], shape: [1]),
        "backbone": Tensor([4], shape: []),
        "head.weight": Tensor([5, 6, 7, 8], shape: [2, 2]),
    ])

    @Test("a missing path and a wrong shape are named, with both shapes")
    func errors() throws {
        #expect(try weights.tensor("head.weight", shape: [2, 2]).scalars == [5, 6, 7, 8])
        #expect(throws: WeightsError.missing(path: "head.bias", expected: [2])) {
            try weights.tensor("head.bias", shape: [2])
        }
        #expect(throws: WeightsError.shape(path: "head.weight", expected: [4], found: [2, 2])) {
            try weights.tensor("head.weight", shape: [4])
        }
        #expect(throws: WeightsError.missing(path: "x", expected: nil)) { try weights.tensor("x") }
        let error = WeightsError.shape(path: "head.weight", expected: [4], found: [2, 2])
        #expect("\(error)" == "weight head.weight: expected shape [4], found [2, 2]")
    }

    @Test("paths are sorted and all scalars are counted")
    func listing() {
        #expect(weights.paths == ["backbone", "backbone.norm.weight", "backbone.norm2.weight", "head.weight"])
        #expect(weights.parameterCount == 8)
    }

    @Test("a prefix ends at a dot")
    func prefixes() {
        #expect(weights.under("backbone").paths == ["norm.weight", "norm2.weight"])
        #expect(weights.under("backbone.norm").paths == ["weight"])
        var rest = weights
        rest.remove(under: "backbone.norm")
        #expect(rest.paths == ["backbone", "backbone.norm2.weight", "head.weight"])
    }

    @Test("merging puts weights under a prefix and replaces what is there")
    func merging() {
        var merged = weights
        merged.merge(Weights(["weight": Tensor([9], shape: [])]), under: "head")
        merged.merge(Weights(["new": Tensor([10], shape: [])]))
        #expect(merged["head.weight"]?.scalars == [9])
        #expect(merged["new"]?.scalars == [10])
        #expect(weights["head.weight"]?.shape == [2, 2], "a copy does not change its original")
    }

    @Test("what nobody has asked for can be listed")
    func unread() throws {
        let recorder = WeightsRecorder()
        let recorded = weights.recorded(by: recorder)
        _ = try recorded.tensor("head.weight", shape: [2, 2])
        _ = try recorded.tensor("backbone")
        _ = try? recorded.tensor("backbone.norm.weight", shape: [7])
        _ = try weights.tensor("backbone.norm2.weight")
        #expect(recorder.unread(of: weights) == ["backbone.norm.weight", "backbone.norm2.weight"])
    }
}
