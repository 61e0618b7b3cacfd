import Documents
import Foundation
import Inference
import Randomness
import Tensor
import Testing
import Training

/// What the reference computed of one system (Tests/Reference/golden.py).
struct GoldenSystem: Decodable, Sendable {
    /// As in a checkpoint's metadata.
    struct Configuration: Decodable, Sendable {
        let model: ModelConfiguration

        init(from decoder: any Decoder) throws {
            model = try ModelConfiguration(json: JSONValue(from: decoder).canonicalText())
        }
    }

    let config: Configuration
    /// Which input.
    let input: Int
    /// Whether batch norms use their running statistics.
    let fixed: Bool
    /// Learning rate.
    let rate: Float
    let embeddings: [String: [Double]]
    let gradients: [String: [Double]]
    let statistics: [String: [Double]]
    /// The losses of twenty steps.
    let steps: [Float]

    static let names = [
        "unicat-vit", "unicat-resnet-18", "unicat-resnet-50", "fusion-average-vit", "fusion-concat-vit", "graft",
        "graft-clip", "unicat-clip", "ieee", "mixer-resnet-18", "mixer-vit", "dmf", "dmf-text",
        // What the papers' ablations change.
        "unicat-two", "fusion-concat-two", "fusion-average-two", "graft-cls", "graft-average", "graft-vanilla-cls",
        "graft-vanilla-average", "ieee-plain", "ieee-interaction", "mixer-erased", "mixer-related", "mixer-cross",
        "mixer-cross-resnet-18", "unicat-drop-path", "mixer-drop-path",
        // Embeddings after the neck.
        "unicat-two-after", "fusion-concat-two-after", "fusion-average-two-after", "graft-cls-after",
        "mixer-cross-after", "mixer-erased-after", "dmf-after",
    ]
    static let all = Result {
        try ["systems.json", "clip.json", "variants.json"].reduce(into: [String: GoldenSystem]()) { all, file in
            all.merge(try Fixture.json(file, as: [String: GoldenSystem].self)) { $1 }
        }
    }
}

@Suite("Every system against the reference", .serialized)
struct SystemsTests {
    /// A system's weights, and the batch that it is tried on.
    private struct Trial {
        let name: String
        let golden: GoldenSystem
        var weights: Weights
        let images: [Modality: Tensor]

        init(_ name: String) throws {
            self.name = name
            golden = try #require(GoldenSystem.all.get()[name])
            let configuration = golden.config.model
            (weights, images) = try SeededTensors.model(configuration, input: golden.input)
            if configuration.system.name == .graft {
                weights["centers"] = SeededTensors.draw("centers", [4, configuration.backbone.width])
            }
        }

        private var objective: Objective {
            switch golden.config.model.system {
            case .graft: .graft(GraFTObjective(center: 0.01, labelSmoothing: 0.1))
            case .unicat, .fusionConcat, .fusionAverage:
                .identity(
                    IdentityObjective(
                        triplet: name.hasPrefix("fusion-average-two") ? 0.5 : 1, crossEntropy: 0.7, margin: 0.2,
                        labelSmoothing: 0.1))
            case .dmf: .identity(IdentityObjective(isSquared: true))
            case .ieee: .ieee(IEEEObjective(margin: name == "ieee-plain" ? 0 : 1, labelSmoothing: 0.1))
            case .mixer(let head):
                switch head.embedding {
                case .both: .mixer(MixERObjective(modality: images.count == 1 ? 0 : 0.4))
                case .erased: .mixer(MixERObjective(related: 0, orthogonality: 0))
                case .related: .mixer(MixERObjective(erased: 0, modality: 0, orthogonality: 0))
                }
            }
        }

        /// Of a step, which seeds it.
        private func dropPath(_ step: Int) -> DropPath? {
            name.hasSuffix("drop-path") ? DropPath(rate: 0.4, generator: SplitMix64(seed: UInt64(step))) : nil
        }

        private func readTexts(_ system: any EncodingSystem) throws -> SystemOutput {
            let reader = try #require(system as? any TextEncodingSystem)
            return reader(texts: [[1, 3, 5], [2, 4, 6, 8, 9], [1], [2, 7, 9, 3], [5, 5], [6, 1, 2], [8], [4, 3]])
        }

        /// One training pass: its loss, and the batch statistics after it.
        func pass(_ step: Int = 0) throws -> (loss: Tensor, statistics: [String: Tensor]) {
            let statistics = RunningStatistics()
            let mode = ModelMode.training(
                dropout: nil, dropPath: dropPath(step), frozen: objective.unreached(by: golden.config.model),
                statistics: golden.fixed ? nil : statistics)
            let system = try golden.config.model.makeSystem(ParameterScope(weights, mode: mode))
            let output = name == "dmf-text" ? try readTexts(system) : system(images)
            let batch = Objective.Batch(
                labels: [0, 0, 1, 1, 2, 2, 3, 3], triples: [[0, 1, 2], [1, 0, 3], [2, 3, 0], [7, 6, 1]],
                centers: weights["centers"]?.tracked(as: "centers"))
            return (objective(output, batch).total, statistics.byPath)
        }
    }

    /// Agreement of summaries, relative to the norm, or to `scale` where the tensor all but vanishes.
    private func expectClose(_ tensor: Tensor, _ expected: [Double], _ name: String, scale: Double = 0) {
        let bound = 1e-4 * max(expected[0], scale)
        for (found, expected) in zip(SeededTensors.summary(name, tensor), expected) {
            #expect(abs(found - expected) <= bound, "\(name): \(found), expected \(expected)")
        }
    }

    @Test("embeddings with one, two and all modalities", arguments: GoldenSystem.names)
    func embeddings(name: String) throws {
        let trial = try Trial(name)
        let system = try trial.golden.config.model.makeSystem(ParameterScope(trial.weights, mode: .inference))
        #expect(system.dimension == trial.golden.config.model.dimension)
        for (subset, expected) in trial.golden.embeddings {
            let images = trial.images.filter { subset.split(separator: "+").contains(Substring($0.key.rawValue)) }
            let norms = system.embed(images).normalizedRows()
            expectClose(norms, expected, "embedding")
        }
    }

    @Test("gradients of the system's own objective, and batch statistics", arguments: GoldenSystem.names)
    func objective(name: String) throws {
        let trial = try Trial(name)
        let (loss, statistics) = try trial.pass()
        let found = gradients(of: loss)
        #expect(Set(found.keys) == Set(trial.golden.gradients.keys))
        // A gradient that cancels out is compared at the scale of the others.
        let scale = 1e-3 * (trial.golden.gradients.values.map { $0[0] }.max() ?? 0)
        for (path, expected) in trial.golden.gradients {
            expectClose(try #require(found[path]), expected, path, scale: scale)
        }
        for (path, statistic) in statistics {
            expectClose(statistic, try #require(trial.golden.statistics[path]), path)
        }
    }

    @Test("twenty training steps", arguments: GoldenSystem.names)
    func steps(name: String) throws {
        var trial = try Trial(name)
        // Sooner or later rounding turns one of a ResNet's ReLUs the other way, and the two runs part, if not far.
        var tolerance: Float = 1e-4
        if case .resnet = trial.golden.config.model.backbone { tolerance = 2e-3 }
        var optimizer = AdamW(AdamW.Options(weightDecay: 0.01, epsilon: 1e-2))
        for (step, expected) in trial.golden.steps.enumerated() {
            let (loss, statistics) = try trial.pass(step)
            let difference = abs(loss.scalar - expected) / abs(expected)
            #expect(difference <= tolerance, "step \(step): \(loss.scalar), expected \(expected)")
            optimizer.step(&trial.weights, gradients: gradients(of: loss), learningRate: trial.golden.rate)
            for (path, statistic) in statistics { trial.weights[path] = statistic }
        }
    }

    @Test("folding, packing and fixed statistics leave the forward pass as it is", arguments: GoldenSystem.names)
    func folding(name: String) throws {
        let trial = try Trial(name)
        let systems = try [ModelMode.inference, .training(dropout: nil)].map {
            try trial.golden.config.model.makeSystem(ParameterScope(trial.weights, mode: $0)).embed(trial.images)
                .normalizedRows().scalars
        }
        #expect(zip(systems[0], systems[1]).allSatisfy { abs($0 - $1) < 1e-5 })
    }
}
