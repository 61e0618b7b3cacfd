import Foundation
import Inference
import Randomness
import Tensor
import Testing
import Training

@Suite("Optimiser, schedules and initialisation")
struct OptimizationTests {
    private struct Run: Decodable {
        let start: [Float]
        let weightDecay: Float
        let rates: [Float]
        let gradients: [[Float]]
        let after: [[Float]]
    }

    @Test("AdamW and SGD take PyTorch's steps", arguments: ["adamw", "sgd"])
    func steps(name: String) throws {
        let run = try Fixture.json("\(name).json", as: Run.self)
        var weights = Weights(["p": Tensor(run.start, shape: [run.start.count]), "still": Tensor(1)])
        let options: OptimizerOptions =
            name == "sgd"
            ? .sgd(SGD.Options(weightDecay: run.weightDecay)) : .adamW(AdamW.Options(weightDecay: run.weightDecay))
        var optimizer = options.makeOptimizer()
        for (step, gradient) in run.gradients.enumerated() {
            optimizer.step(
                &weights, gradients: ["p": Tensor(gradient, shape: [gradient.count])], learningRate: run.rates[step])
            #expect(relativeError(try #require(weights["p"]).scalars, run.after[step]) < 1e-5, "step \(step)")
        }
        #expect(weights["still"]?.scalar == 1)
    }

    @Test("GraFT's first stage: rise, square-root decay, even cool-down over the last tenth")
    func graftSchedule() {
        let schedule = Schedule(decay: .squareRoot, warmup: 100, cooldown: 0.1)
        let factor = { schedule.factor(step: $0, of: 1000) }
        #expect(factor(0) == 0.01)
        #expect(factor(99) == 1)
        #expect(abs(factor(399) - 0.5) < 1e-6)  // √(100/400)
        let start = factor(900)
        #expect(abs(start - Float(100.0 / 901).squareRoot()) < 1e-6)
        #expect(abs(factor(950) - start / 2) < 1e-3)
        #expect(factor(999) > 0 && factor(999) < 0.01 * start * 1.1)
    }

    @Test("the other schedules end where they should")
    func otherSchedules() {
        #expect(Schedule().factor(step: 7, of: 10) == 1)
        #expect(abs(Schedule(decay: .cosine).factor(step: 5, of: 10) - 0.5) < 1e-6)
        #expect(abs(Schedule(decay: .linear, warmup: 2).factor(step: 6, of: 10) - 0.5) < 1e-6)
        let warm = Schedule(warmup: 10, warmupStart: 0.1)
        #expect(abs(warm.factor(step: 4, of: 20) - 0.55) < 1e-6 && warm.factor(step: 9, of: 20) == 1)
        #expect(abs(Schedule(decay: .cosine, minimum: 0.2).factor(step: 10, of: 10) - 0.2) < 1e-6)
    }

    @Test("initial weights depend on the seed alone, and have the sizes that training needs")
    func initialization() throws {
        let configuration = try Fixture.graft().configuration
        let first = try WeightInitialization.weights(for: configuration, seed: 1)
        let again = try WeightInitialization.weights(for: configuration, seed: 1)
        let other = try WeightInitialization.weights(for: configuration, seed: 2)
        #expect(first.paths == again.paths)
        #expect(first.paths.allSatisfy { first[$0]?.scalars == again[$0]?.scalars })
        #expect(first["fusion_token"]?.scalars != other["fusion_token"]?.scalars)
        #expect(first["neck.running_var"]?.scalars.allSatisfy { $0 == 1 } == true)
        let fc1 = try #require(first["backbone.blocks.0.mlp.fc1.weight"]).scalars
        let deviation = (fc1.reduce(0) { $0 + $1 * $1 } / Float(fc1.count)).squareRoot()
        #expect(abs(deviation - 0.02) < 0.002)
        #expect(try MultimodalEncoder(configuration: configuration, weights: first, model: "").dimension == 24)
    }

    @Test("a transfer takes what fits, refits positions to another grid, and names the rest")
    func transfer() throws {
        let checkpoint = try Fixture.graft()
        let source = checkpoint.weights.under("weights")
        var larger = checkpoint.configuration
        larger.input.height = 28
        larger.identities = 9
        let fresh = try WeightInitialization.weights(for: larger, seed: 1)
        let transfer = WeightTransfer(from: source, of: checkpoint.configuration, into: fresh, for: larger)
        #expect(transfer.refitted == ["backbone.pos_embed"])
        #expect(transfer.fresh == ["classifier.weight"] && transfer.share == 1)
        let bilinear = WeightTransfer(
            from: source, of: checkpoint.configuration, into: fresh, for: larger, positions: .bilinear)
        #expect(bilinear.weights["backbone.pos_embed"]?.scalars != transfer.weights["backbone.pos_embed"]?.scalars)
        #expect(transfer.weights["backbone.pos_embed"]?.shape == fresh["backbone.pos_embed"]?.shape)
        #expect(transfer.weights["fusion_token"]?.scalars == source["fusion_token"]?.scalars)
    }

    @Test(
        "a checkpoint that lacks a part of the backbone is refused before anything is written, unless that is allowed")
    func unrelated() throws {
        // Its hidden layers are twice as wide, its patches overlap.
        let other = try Fixture.graft()
        let file = Fixture.scratch().path
        defer { try? FileManager.default.removeItem(atPath: file) }
        try Checkpoint.save(configuration: other.configuration, weights: other.weights.under("weights"), to: file)
        let initial = try Checkpoint.load(path: file)
        let text = try String(contentsOf: Fixture.url("replay/recipe.yaml"), encoding: .utf8)
        let recipe = try Recipe(yaml: text, settings: ["stages.0.steps=1", "stages.1.steps=1"])
        let output = Fixture.scratch()
        defer { try? FileManager.default.removeItem(at: output) }
        var options = WeightTransfer.Options()
        options.positions = .bilinear
        for least in [1.0, 0.0] {
            options.least = least
            let trainer = Trainer(
                recipe: recipe, dataset: try TriplesDataset(root: Fixture.url("replay/data")), output: output,
                initial: initial, seed: 1, transfer: options)
            guard least > 0 else {
                let model = try Checkpoint.load(path: trainer.run { _ in }.path)
                let positions = model.configuration.training?["initialization"]?["positions"]
                #expect(positions?["interpolation"]?.string == "bilinear")
                continue
            }
            let error = try #require(throws: TrainingError.self) { try trainer.run { _ in } }
            #expect("\(error)".contains("expected at least 100.0 % of the backbone in it, found "))
            #expect(
                "\(error)".hasSuffix("missing backbone.blocks 6")
                    && !FileManager.default.fileExists(atPath: output.path))
        }
    }

    @Test("the generator gives the published sequence, and its normal numbers are normal")
    func generator() {
        var generator = SplitMix64(seed: 1_234_567)
        #expect(generator.next() == 6_457_827_717_110_365_317)
        #expect(generator.next() == 3_203_168_211_198_807_973)
        let normals = (0..<20_000).map { _ in generator.normal() }
        let mean = normals.reduce(0, +) / Float(normals.count)
        let variance = normals.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(normals.count)
        #expect(abs(mean) < 0.03 && abs(variance - 1) < 0.05)
    }
}
