import Foundation
import Inference
import Tensor

/// Prunes a model step by step, fine-tuning after each: a run folder with logs, models and figures out of a plan, a parent,
/// a recipe and a data set.
///
/// The same plan, parent, recipe, data, seed and machine give the same weights.
public struct Pruner: Sendable {
    /// What happens during a run, for whoever shows it.
    public enum Event: Sendable {
        case training(Trainer.Event)
        case pruned(target: Double, removed: Double)
        /// What follows is the parent, trained on without pruning.
        case control
        case measuring
        case measured(PrunedModel)
    }

    /// What a run has made.
    public struct Outcome: Sendable {
        /// Whether the run came to its end.
        public let isFinished: Bool
        /// The path of the last model.
        public let path: String
        /// What was measured, of the parent first.
        public let models: [PrunedModel]
    }

    private let plan: PruningPlan
    private let parent: Checkpoint
    private let parentPath: String
    private let recipe: Recipe
    private let dataset: TriplesDataset
    private let output: URL
    private let seed: UInt64
    private let isSweep: Bool
    private let hasControl: Bool

    /// - Parameters:
    ///   - plan: what goes.
    ///   - parentPath: the checkpoint to prune.
    ///   - recipe: fine-tuning is its last stage; its model is replaced by the checkpoint's.
    ///   - dataset: what from.
    ///   - output: a new or empty folder.
    ///   - seed: of everything random, the parent's own by default: so the same identities stay held out.
    ///   - isSweep: whether every target's model is published and measured, not only the last one's.
    ///   - hasControl: whether the parent, fine-tuned for as many steps without pruning, is published and measured as well: a
    ///     short training may gain more by further steps than pruning costs.
    ///
    /// Throws `CheckpointError`, `PruningError.otherSystem`, or `RecipeError` or `DocumentError` for a recipe that the checkpoint's
    /// model cannot be trained by.
    public init(
        plan: PruningPlan, parentPath: String, recipe: Recipe, dataset: TriplesDataset, output: URL,
        seed: UInt64? = nil, isSweep: Bool = false, hasControl: Bool = false
    ) throws {
        let parent = try Checkpoint.load(path: parentPath)
        guard recipe.model.system.name == parent.configuration.system.name else {
            throw PruningError.otherSystem(
                expected: parent.configuration.system.name.rawValue, found: recipe.model.system.name.rawValue)
        }
        var recipe = try recipe.fineTuning(parent.configuration, steps: plan.steps)
        for index in recipe.stages.indices { recipe.stages[index].length = .steps(plan.steps) }
        let inherited = parent.configuration.training?["seed"]?.integer.map { UInt64(truncatingIfNeeded: $0) }
        (self.plan, self.parent, self.parentPath, self.recipe) = (plan, parent, parentPath, recipe)
        (self.dataset, self.output, self.isSweep, self.hasControl) = (dataset, output, isSweep, hasControl)
        self.seed = seed ?? inherited ?? 1
    }

    /// Runs to the end, or to the end of the step in which `isCancelled` turns true; then the model as it is gets published
    /// without being measured. Blocks: call it on a compute thread.
    ///
    /// Throws `DatasetError`, `PruningError`, `TrainingError`, `WeightsError`, `EncoderError` or `CheckpointError`.
    @discardableResult
    public func run(isCancelled: () -> Bool = { false }, report: (Event) -> Void) throws -> Outcome {
        let data = try TrainingData(dataset, recipe, seed: seed)
        var run = try begin(recipe, data, report)
        let set = try RankingSet(
            dataset, held: data.held, Preprocessing(recipe.model.input), modalities: recipe.model.modalities)
        let folder = try RunFolder(output)
        try folder.write(recipe.yaml, to: "recipe.yaml")
        let manifest = try DataManifest(dataset, recipe)
        try folder.write(manifest.text, to: DataManifest.file)
        try RunDescription(run, dataset, manifest, initializedFrom: parent.digest, pruning: plan).write(to: folder)
        report(.measuring)
        var measurement = try PruningMeasurement(parent, path: parentPath, on: set)
        report(.measured(measurement.models[0]))
        var round = PruningRound(plan, parent, run)
        var none: SnapshotKeeper?
        for target in plan.targets {
            try round.prune(&run, target: target)
            report(.pruned(target: target, removed: round.removed))
            let isWhole = try run.train(into: folder, keeper: &none, isCancelled: isCancelled) { report(.training($0)) }
            if !isWhole { run.settle() }
            let isLast = target == plan.targets.last || isCancelled()
            if isSweep || isLast { try publish(run, round, folder, &measurement, isCancelled, report) }
            if isLast { break }
        }
        if hasControl, !isCancelled() { try control(data, folder, &measurement, isCancelled, report) }
        return Outcome(
            isFinished: measurement.models.last.map { hasControl ? $0.isControl : $0.target == plan.targets.last }
                ?? false,
            path: output.appendingPathComponent("model.safetensors").path, models: measurement.models)
    }

    private func begin(
        _ recipe: Recipe, _ data: TrainingData, _ report: (Event) -> Void
    ) throws -> TrainingRun {
        var run = try TrainingRun(recipe, data, seed: seed, initial: parent) { report(.training($0)) }
        run.rounds = plan.targets.count
        if plan.distillation > 0 {
            run.distil(try Distillation(parent.configuration, parent.weights, weight: plan.distillation))
        }
        return run
    }

    /// The parent, trained on through the same batches and rates, each round from its best so far, with nothing taken away.
    private func control(
        _ data: TrainingData, _ folder: RunFolder, _ measurement: inout PruningMeasurement,
        _ isCancelled: () -> Bool, _ report: (Event) -> Void
    ) throws {
        var recipe = recipe
        for index in recipe.stages.indices { recipe.stages[index].name = "control" }
        var run = try begin(recipe, data, report)
        run.isControl = true
        var none: SnapshotKeeper?
        report(.control)
        for _ in plan.targets {
            run.continueWith(run.configuration, run.best.weights, mask: run.state.mask)
            let isWhole = try run.train(into: folder, keeper: &none, isCancelled: isCancelled) { report(.training($0)) }
            guard isWhole else { return }
        }
        report(.measuring)
        var configuration = run.configuration
        (configuration.training, configuration.pruning) = (parent.configuration.training, parent.configuration.pruning)
        configuration = try SelfTest.recorded(in: configuration, weights: run.best.weights)
        let figures = try measurement.figures(configuration, run.best.weights)
        let digest = try folder.save(
            configuration, run.best.weights, packed: run.state.packed, to: PrunedModel.controlFile)
        let model = try measurement.add(
            figures, target: 0, removed: 0, digest: digest,
            file: folder.path.appendingPathComponent(PrunedModel.controlFile))
        try PruningTable(measurement.models).write(to: folder.path)
        report(.measured(model))
    }

    /// Measures a model and writes it, and the table so far.
    private func publish(
        _ run: TrainingRun, _ round: PruningRound, _ folder: RunFolder, _ measurement: inout PruningMeasurement,
        _ isCancelled: () -> Bool, _ report: (Event) -> Void
    ) throws {
        var configuration = run.configuration
        configuration.training = parent.configuration.training
        configuration = try SelfTest.recorded(in: configuration, weights: run.best.weights)
        let draft = PruningProvenance(plan, parent, recipe, seed: seed, data: dataset.root.lastPathComponent, round)
        let packed = run.state.packed
        if isCancelled() {
            configuration.pruning = try draft.json(run.best, measured: nil)
            try folder.save(configuration, run.best.weights, packed: packed, to: "model.safetensors")
            return
        }
        report(.measuring)
        let figures = try measurement.figures(configuration, run.best.weights)
        configuration.pruning = try draft.json(run.best, measured: figures)
        let isLast = round.target == plan.targets.last
        let name = isLast ? "model.safetensors" : "model-\(round.target).safetensors"
        let digest = try folder.save(configuration, run.best.weights, packed: packed, to: name)
        let model = try measurement.add(
            figures, target: round.target, removed: round.removed, digest: digest,
            file: folder.path.appendingPathComponent(name))
        try PruningTable(measurement.models).write(to: folder.path)
        report(.measured(model))
    }
}
