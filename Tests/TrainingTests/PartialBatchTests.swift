import Inference
import Randomness
import Tensor
import Testing
import Training

/// A small system of some kind, and eight triples that have lost modalities.
struct PartialTrial {
    static let sets: [Set<Modality>] = [
        [.rgb, .nir, .tir], [.tir], [.rgb, .nir], [.nir, .tir], [.rgb], [.rgb, .nir, .tir], [.nir], [.rgb, .tir],
    ]
    static let labels = [0, 0, 1, 1, 2, 2, 3, 3]

    static let systems: [(String, ModelConfiguration.System)] = [
        ("unicat", .unicat), ("fusion_concat", .fusionConcat), ("fusion_average", .fusionAverage),
        ("mixer", .mixer(.init())),
        ("graft", .graft(.init(fusionTokens: 2, heads: 2, feedforward: 16, dropout: 0, fusion: .token))),
        (
            "graft_vanilla", .graft(.init(fusionTokens: 2, heads: 2, feedforward: 16, dropout: 0, fusion: .vanillaCLS))
        ),
        ("dmf", .dmf(.init(text: .init(vocabulary: ["<pad>", "a"], width: 8, maxTokens: 4)))),
        ("ieee", .ieee(.init(parts: 2, reduced: 16, partWidth: 8, attentionRatio: 16))),
    ]

    let configuration: ModelConfiguration
    var weights: Weights
    let images: [Modality: Tensor]

    init(_ name: String, neckFeature: ModelConfiguration.NeckFeature = .before) throws {
        let system = try #require(Self.systems.first { $0.0 == name }?.1)
        let half: [Modality: [Float]] = [.rgb: [0.5, 0.5, 0.5], .nir: [0.5, 0.5, 0.5], .tir: [0.5, 0.5, 0.5]]
        var configuration = ModelConfiguration(
            system: system, modalities: [.rgb, .nir, .tir],
            backbone: name == "ieee"
                ? .resnet(.init(depth: 18, lastStride: 1)) : .vit(.init(width: 16, depth: 2, heads: 2, patch: 8)),
            input: .init(height: 16, width: 32, mean: half, std: half), identities: 4)
        configuration.neckFeature = neckFeature
        self.configuration = configuration
        weights = try WeightInitialization.weights(for: configuration, seed: 3)
        images = Dictionary(
            uniqueKeysWithValues: Modality.allCases.enumerated().map { number, modality in
                var generator = SplitMix64(seed: 9, stream: UInt64(number))
                return (
                    modality, Tensor((0..<(8 * 16 * 32 * 3)).map { _ in generator.normal() }, shape: [8, 16, 32, 3])
                )
            })
    }

    var objective: Objective {
        switch configuration.system {
        case .unicat, .fusionConcat, .fusionAverage, .dmf: .identity(IdentityObjective(crossEntropy: 0.7))
        case .graft: .graft(GraFTObjective(center: 0.01))
        case .ieee: .ieee(IEEEObjective())
        case .mixer: .mixer(MixERObjective())
        }
    }

    static var names: [String] { systems.map(\.0) }

    /// The images that are left.
    func present(_ sets: [Set<Modality>]?) -> [Modality: Tensor] {
        let rows = sets.map { BatchRows($0) } ?? BatchRows(8)
        return images.reduce(into: [:]) { $0[$1.key] = $1.value.rows(at: rows.rows(of: $1.key)) }
    }

    func batch(_ sets: [Set<Modality>]?) -> TrainingBatch {
        return TrainingBatch(
            input: .images(present(sets)), labels: Self.labels,
            triples: [[0, 1, 2], [1, 0, 3], [2, 3, 0], [7, 6, 1]],
            rows: sets.map { BatchRows($0) } ?? BatchRows(8))
    }

    func result(_ sets: [Set<Modality>]?, atOnce: Int? = nil) throws -> GradientPass.Result {
        var generator = SplitMix64(seed: 4)
        let centers = Tensor((0..<64).map { _ in generator.normal() }, shape: [4, 16])
        var isGraFT = false
        if case .graft = configuration.system { isGraFT = true }
        var pass = GradientPass(
            configuration, weights, centers: isGraFT ? centers : nil, objective, RunningStatistics())
        pass.atOnce = atOnce
        return try pass(batch(sets))
    }

    /// With necks that have seen something.
    mutating func scrambleNecks() throws {
        for path in weights.paths where path.contains("neck") && !path.hasSuffix("bias") {
            var generator = SplitMix64(seed: path.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) })
            let count = try #require(weights[path]).count
            weights[path] = Tensor((0..<count).map { _ in generator.uniform(0.5...1.5) }, shape: [count])
        }
    }

    /// With other weights.
    func with(_ weights: Weights) -> Self { Self(self, weights) }

    private init(_ other: Self, _ weights: Weights) {
        (configuration, images, self.weights) = (other.configuration, other.images, weights)
    }
}

@Suite("Batches of triples that have lost modalities, and batches that are encoded in parts")
struct PartialBatchTests {
    @Test(
        "a triple's embedding is what its own modalities alone would make, on either side of the neck",
        arguments: PartialTrial.names, ModelConfiguration.NeckFeature.allCases)
    func embeddings(name: String, side: ModelConfiguration.NeckFeature) throws {
        // IEEE has no neck.
        guard name != "ieee" || side == .before else { return }
        var trial = try PartialTrial(name, neckFeature: side)
        try trial.scrambleNecks()
        // Fixed statistics: no row depends on another.
        let system = try trial.configuration.makeSystem(
            ParameterScope(trial.weights, mode: .training(dropout: nil)))
        let images = trial.present(PartialTrial.sets)
        let rows = BatchRows(PartialTrial.sets)
        let found = system.output(system.features(images), rows).embedding
        #expect(found.shape == [8, trial.configuration.dimension])
        let served = try trial.configuration.makeSystem(ParameterScope(trial.weights, mode: .inference))
        let also = served.embed(images, rows)
        for (row, set) in PartialTrial.sets.enumerated() {
            let alone = system.embed(
                trial.images.filter { set.contains($0.key) }.mapValues { $0.rows(at: [row]) })
            #expect(relativeError(found.rows(at: [row]).scalars, alone.scalars) < 1e-5, "row \(row)")
            #expect(relativeError(also.rows(at: [row]).scalars, alone.scalars) < 1e-4, "row \(row), as served")
        }
    }

    @Test(
        "where blocks are lost, Fusion-concat's neck is of those that are there if they are served after it, else of zeros too",
        arguments: ModelConfiguration.NeckFeature.allCases)
    func neckOfLostBlocks(side: ModelConfiguration.NeckFeature) throws {
        var trial = try PartialTrial("fusion_concat", neckFeature: side)
        try trial.scrambleNecks()
        let (rows, width) = (BatchRows(PartialTrial.sets), 16)
        let statistics = RunningStatistics()
        let system = try trial.configuration.makeSystem(
            ParameterScope(trial.weights, mode: .training(dropout: nil, statistics: statistics)))
        let output = system.output(system.features(trial.present(PartialTrial.sets)), rows)
        let old = try #require(trial.weights["neck.running_mean"]).scalars
        let new = try #require(statistics.byPath["neck.running_mean"]).scalars
        let logits = output.heads[0].logits[0].scalars
        #expect(logits.count == 8 * 4 && logits.allSatisfy(\.isFinite))
        for column in 0..<(3 * width) {
            let modality = trial.configuration.modalities[column / width]
            let features = (0..<8).map { output.heads[0].features.scalars[$0 * 3 * width + column] }
            let count = side == .after ? rows.rows(of: modality).count : 8
            let mean = features.reduce(0, +) / Float(count)
            #expect(abs(new[column] - (0.9 * old[column] + 0.1 * mean)) < 1e-5)
            for (row, set) in PartialTrial.sets.enumerated() where !set.contains(modality) {
                #expect(features[row] == 0 && output.embedding.scalars[row * 3 * width + column] == 0)
            }
        }
    }

    @Test(
        "a block that a whole batch lacks, or all but one, leaves its part of Fusion-concat's neck as it is",
        arguments: [0, 1])
    func neckOfMissingBlock(count: Int) throws {
        let sets: [Set<Modality>] = (0..<8).map { $0 < count ? [.rgb, .nir, .tir] : [.rgb, .tir] }
        var trial = try PartialTrial("fusion_concat", neckFeature: .after)
        try trial.scrambleNecks()
        let statistics = RunningStatistics()
        let system = try trial.configuration.makeSystem(
            ParameterScope(trial.weights, mode: .training(dropout: nil, statistics: statistics)))
        var present = trial.images
        present[.nir] = count == 0 ? nil : trial.images[.nir]?.rows(at: [0])
        let output = system.output(system.features(present), BatchRows(sets))
        for path in ["neck.running_mean", "neck.running_var"] {
            let (old, new) = (try #require(trial.weights[path]).scalars, try #require(statistics.byPath[path]).scalars)
            #expect(old[16..<32] == new[16..<32] && old[..<16] != new[..<16] && old[32...] != new[32...])
        }
        // A single row is its own mean: the classifier sees 0 of it.
        let rest = system.output(system.features(trial.images.filter { $0.key != .nir }), BatchRows(8))
        #expect(relativeError(output.heads[0].logits[0].scalars, rest.heads[0].logits[0].scalars) < 1e-5)
    }

    @Test(
        "gradients of batches with losses are those of finite differences",
        arguments: PartialTrial.names.filter { $0 != "ieee" }.map { ($0, .before) } + [("fusion_concat", .after)]
            as [(String, ModelConfiguration.NeckFeature)])
    func differences(name: String, side: ModelConfiguration.NeckFeature) throws {
        let trial = try PartialTrial(name, neckFeature: side)
        let result = try trial.result(PartialTrial.sets)
        // The direction of the gradient itself, the one in which the loss changes most.
        let norm = result.gradients.values.reduce(0.0) { $0 + Double($1.squared().sum().scalar) }.squareRoot()
        let step = Float(0.01 / norm)
        let losses = try [step, -step].map { step in
            var moved = trial.weights
            for (path, gradient) in result.gradients where path != "centers" {
                moved[path] = try #require(moved[path]) + gradient.scaled(by: step / Float(norm))
            }
            return try trial.with(moved).result(PartialTrial.sets).loss
        }
        let centers = result.gradients["centers"].map { Double($0.squared().sum().scalar) } ?? 0
        let expected = (norm * norm - centers) / norm
        let found = Double(losses[0] - losses[1]) / (2 * Double(step))
        // MixER's adversary is turned round on purpose.
        if name != "mixer" { #expect(abs(found - expected) < 0.05 * expected, "\(found), expected \(expected)") }
    }

    @Test(
        "encoded a few triples at a time, a batch has the same loss and gradients",
        arguments: ["unicat", "fusion_concat", "fusion_average", "mixer", "graft", "dmf"], [1, 3])
    func parts(name: String, atOnce: Int) throws {
        let trial = try PartialTrial(name)
        for sets in [nil, PartialTrial.sets] {
            let (whole, parts) = (try trial.result(sets), try trial.result(sets, atOnce: atOnce))
            #expect(relativeError([parts.loss], [whole.loss]) < 1e-6)
            #expect(Set(parts.gradients.keys) == Set(whole.gradients.keys))
            let scale = whole.gradients.values.flatMap { $0.scalars.map(abs) }.max() ?? 0
            for (path, gradient) in whole.gradients {
                let found = try #require(parts.gradients[path]).scalars
                let worst = zip(found, gradient.scalars).map { abs($0 - $1) }.max() ?? 0
                #expect(worst <= 1e-5 * scale, "\(path): \(worst) of \(scale)")
            }
        }
    }

    @Test("UniCat's modalities one after the other have the gradients that all together have")
    func modalities() throws {
        let trial = try PartialTrial("unicat")
        let found = try trial.result(nil)
        let system = try trial.configuration.makeSystem(
            ParameterScope(trial.weights, mode: .training(dropout: nil, statistics: RunningStatistics())))
        let whole = trial.objective(system(trial.images), .init(labels: PartialTrial.labels))
        #expect(found.loss == whole.total.scalar && found.terms == whole.terms)
        for (path, gradient) in gradients(of: whole.total) {
            #expect(found.gradients[path]?.scalars == gradient.scalars, "\(path)")
        }
    }

    @Test("what drops activations drops the same whenever a part is encoded")
    func dropout() throws {
        let trial = try PartialTrial("graft")
        let gradients = try (0..<2).map { _ in
            var pass = GradientPass(
                trial.configuration, trial.weights, centers: .zeros([4, 16]), trial.objective, RunningStatistics())
            pass.dropout = Dropout(probability: 0.3, generator: SplitMix64(seed: 5))
            pass.atOnce = 3
            return try pass(trial.batch(nil)).gradients.mapValues(\.scalars)
        }
        #expect(gradients[0] == gradients[1])
    }
}
