import Inference
import Synchronization
import Tensor
import Testing
import Training

@Suite("Pruning of units")
struct UnitPruningTests {
    /// Every system, with its backbones.
    enum Model: String, CaseIterable, Sendable {
        case unicat, unicatResNet, bottleneck, average, twice, graft, vanilla, ieee, mixer, mixerResNet, erased,
            crossed, dmf

        var configuration: ModelConfiguration {
            let vit = ModelConfiguration.Backbone.vit(.init(width: 16, depth: 2, heads: 4, mlpRatio: 4, patch: 8))
            // Already narrow, so that the tests are quick.
            let resnet = ModelConfiguration.Backbone.resnet(
                self == .bottleneck
                    ? .init(depth: 50, innerWidths: .init(repeating: [6, 9], count: 16))
                    : .init(depth: 18, innerWidths: .init(repeating: [8], count: 8)))
            switch self {
            case .unicat: return make(.unicat, vit)
            case .unicatResNet: return make(.unicat, resnet)
            case .bottleneck: return make(.fusionConcat, resnet)
            case .average: return make(.fusionAverage, vit)
            case .twice:
                var configuration = make(.fusionConcat, vit)
                configuration.networks = 2
                return configuration
            case .graft: return make(.graft(.init(fusionTokens: 1, heads: 2, feedforward: 16, dropout: 0)), vit)
            case .vanilla:
                return make(.graft(.init(heads: 2, feedforward: 16, dropout: 0, fusion: .vanillaAverage)), vit)
            case .ieee:
                return make(.ieee(.init(parts: 2, reduced: 8, partWidth: 4, attentionRatio: 16)), resnet)
            case .mixer: return make(.mixer(), vit)
            case .mixerResNet: return make(.mixer(), resnet)
            case .erased: return make(.mixer(.init(embedding: .erased)), vit)
            case .crossed: return make(.mixer(.init(fusion: .crossAttention)), resnet)
            case .dmf:
                return make(.dmf(.init(text: .init(vocabulary: ["<pad>", "car"], width: 4, maxTokens: 4))), vit)
            }
        }

        private func make(
            _ system: ModelConfiguration.System, _ backbone: ModelConfiguration.Backbone
        ) -> ModelConfiguration {
            let channels = [Modality.rgb: [Float](repeating: 0.5, count: 3), .nir: [Float](repeating: 0.5, count: 3)]
            return ModelConfiguration(
                system: system, modalities: [.rgb, .nir], backbone: backbone,
                input: .init(height: 32, width: 16, mean: channels, std: channels), identities: 3)
        }
    }

    /// Statistics and shifts that are not those of a fresh model, so that a mistake in slicing them shows.
    private func weights(_ configuration: ModelConfiguration) throws -> Weights {
        let drawn = Mutex(Weights())
        let scope = ParameterScope(mode: .training(dropout: nil)) { path, shape in
            let tensor = SeededTensors.draw(path, shape)
            drawn.withLock { $0[path] = tensor }
            return tensor
        }
        _ = try configuration.makeSystem(scope)
        return drawn.withLock { $0 }
    }

    private func embedding(_ configuration: ModelConfiguration, _ weights: Weights, _ mode: ModelMode) throws -> [Float]
    {
        let images = configuration.modalities.map { ($0, SeededTensors.draw("input \($0)", [2, 32, 16, 3])) }
        let system = try configuration.makeSystem(ParameterScope(weights, mode: mode))
        return system.embed(Dictionary(uniqueKeysWithValues: images)).normalizedRows().scalars
    }

    @Test("units whose outgoing weights are zero go without a trace, in every system", arguments: Model.allCases)
    func silent(_ model: Model) throws {
        let configuration = model.configuration
        try configuration.validate()
        var weights = try weights(configuration)
        let layers = UnitLayer.layers(of: configuration)
        // Every third unit of each network is silenced: other ones in each, so that they cannot share a selection.
        for layer in layers {
            for (network, slices) in layer.networks.enumerated() {
                let loud = (0..<layer.count).filter { ($0 + network) % 3 != 0 }
                for slice in slices.suffix(1) {
                    weights[slice.path] = weights[slice.path].map { silence($0, slice, keeping: loud, of: layer.count) }
                }
            }
        }
        let importance = Importance.magnitude(
            of: weights, paths: layers.flatMap { $0.networks.compactMap { $0.last?.path } })
        // Only what leaves a unit counts, so a silent one is worth nothing; a quarter of each layer is silent everywhere.
        let selection = UnitSelection(
            layers, importance, removing: 0.25, scope: .layer, from: layers.map(\.count))
        var pruned = weights
        selection.apply(to: &pruned)
        let smaller = selection.configuration(from: configuration)
        try smaller.validate()
        #expect(pruned.parameterCount < weights.parameterCount)
        #expect(smaller.backboneMultiplyAdds < configuration.backboneMultiplyAdds)
        for mode in [ModelMode.inference, .training(dropout: nil)] {
            let (before, after) = (
                try embedding(configuration, weights, mode), try embedding(smaller, pruned, mode)
            )
            #expect(zip(before, after).allSatisfy { abs($0 - $1) < 1e-6 })
        }
        #expect(try ModelConfiguration(json: smaller.json()) == smaller)
    }

    private func silence(_ tensor: Tensor, _ slice: UnitLayer.Slice, keeping loud: [Int], of units: Int) -> Tensor {
        var scalars = tensor.scalars
        let run = slice.width * tensor.shape.dimensions[(slice.axis + 1)...].reduce(1, *)
        for index in scalars.indices where !loud.contains(index / run % units) { scalars[index] = 0 }
        return Tensor(scalars, shape: tensor.shape)
    }

    @Test(
        "neurons and channels stay in multiples of what a vector holds, in layers that hold one; heads do not",
        arguments: [
            (.channels, 64, 0.3, 48), (.neurons, 64, 0.3, 48), (.neurons, 64, 0.6, 32), (.channels, 64, 0.99, 16),
            (.channels, 20, 0.5, 16), (.channels, 20, 0.05, 16), (.channels, 28, 0.05, 28), (.channels, 15, 0.5, 7),
            (.neurons, 3, 0.9, 1),
            (.heads, 32, 0.3, 22),
        ] as [(UnitLayer.Kind, Int, Double, Int)])
    func vectors(kind: UnitLayer.Kind, count: Int, share: Double, stay: Int) {
        let layer = UnitLayer(kind: kind, block: 0, index: 0, count: count, networks: [[.init(path: "x", axis: 0)]])
        let weights = Weights(["x": Tensor((0..<count).map(Float.init), shape: [count, 1])])
        for scope in PruningPlan.Scope.allCases {
            let selection = UnitSelection(
                [layer], .magnitude(of: weights, paths: ["x"]), removing: share, scope: scope, from: [count])
            #expect(selection.kept == [[Array((count - stay)..<count)]], "\(scope)")
        }
    }

    @Test("globally the units of a kind compete, one of each layer stays, and networks go together")
    func global() {
        let layer = { (block: Int) in
            UnitLayer(
                kind: .neurons, block: block, index: 0, count: 3,
                networks: ["x", "y"].map { [.init(path: "\($0)\(block)", axis: 0)] })
        }
        let rows = { (values: [Float]) in Tensor(values, shape: [3, 1]) }
        // Sorted and averaged over the networks: block 0 has 9, 2, 1, block 1 has 8, 6, 5.
        let weights = Weights([
            "x0": rows([1, 9, 2]), "y0": rows([9, 1, 2]), "x1": rows([8, 6, 5]), "y1": rows([5, 6, 8]),
        ])
        let importance = Importance.magnitude(of: weights, paths: weights.paths)
        let layers = [layer(0), layer(1)]
        let half = UnitSelection(layers, importance, removing: 0.5, scope: .global, from: [3, 3])
        #expect(half.kept == [[[1], [0]], [[0, 1], [1, 2]]])
        let even = UnitSelection(layers, importance, removing: 0.34, scope: .layer, from: [3, 3])
        #expect(even.kept == [[[1, 2], [0, 2]], [[0, 1], [1, 2]]])
        let all = UnitSelection(layers, importance, removing: 0.99, scope: .global, from: [3, 3])
        #expect(all.kept == [[[1], [0]], [[0], [2]]])
    }
}
