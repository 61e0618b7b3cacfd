import Documents
import Foundation
import Inference
import Randomness
import Tensor

/// A run under way.
struct TrainingRun {
    /// The weights that will be published: the best so far on the held-out identities.
    struct Best {
        var weights: Weights
        var step: Int
        var metrics: RetrievalMetrics?
    }

    let recipe: Recipe
    let data: TrainingData
    /// With the number of identities.
    private(set) var configuration: ModelConfiguration
    private(set) var state: TrainingState
    private(set) var best: Best
    private var batches: BatchMaker
    private let seed: UInt64
    private var step = 0
    /// Stages that are over, through all rounds.
    private var stagesDone = 0

    init(
        _ recipe: Recipe, _ data: TrainingData, seed: UInt64, initial: Checkpoint?, report: (Trainer.Event) -> Void
    ) throws {
        self.recipe = recipe
        self.data = data
        var configuration = recipe.model
        configuration.identities = data.identities.count
        if case .dmf(var head) = configuration.system, head.text.vocabulary == [TrainingTexts.padding] {
            head.text.vocabulary = data.texts.vocabulary
            configuration.system = .dmf(head)
        }
        self.configuration = configuration
        var weights = try WeightInitialization.weights(for: configuration, seed: seed)
        var mask: WeightMask?
        if let initial {
            let transfer = WeightTransfer(
                from: initial.weights, of: initial.configuration, into: weights, for: configuration)
            weights = transfer.weights
            report(.initialized(transfer))
            let pruned = initial.packed.intersection(transfer.taken)
            if !pruned.isEmpty {
                let held = WeightMask(nonzerosOf: weights, paths: pruned)
                report(.held(weights: held.removed))
                mask = held
            }
        }
        state = TrainingState(weights: weights, of: configuration, seed: seed)
        state.mask = mask
        best = Best(weights: weights, step: 0)
        batches = try BatchMaker(data, recipe, configuration, seed: seed)
        self.seed = seed
    }

    /// How often all stages are gone through.
    var rounds = 1

    /// The steps of all stages. O(epochs · sightings).
    var totalSteps: Int {
        (0..<(rounds * recipe.stages.count)).reduce(0) { $0 + StagePlan(stage($1), $1, batches).steps }
    }

    private func stage(_ ordinal: Int) -> Recipe.Stage { recipe.stages[ordinal % recipe.stages.count] }

    /// From now on, steps hold embeddings near a teacher's.
    mutating func distil(_ distillation: Distillation) { state.distillation = distillation }

    /// Goes on with a pruned model, perhaps of other widths: what was best before does not count any more.
    mutating func continueWith(_ configuration: ModelConfiguration, _ weights: Weights, mask: WeightMask?) {
        self.configuration = configuration
        state.weights = weights
        state.mask = mask
        mask?.apply(to: &state.weights)
        best = Best(weights: state.weights, step: step)
    }

    /// The gradients of a stage's objective on the next batch, without a step.
    mutating func calibrate(_ stage: Recipe.Stage) throws -> [String: Tensor] {
        try state.objectiveGradients(configuration, batches.next(stage).batch, stage)
    }

    /// The configuration as it is published.
    func configuration(provenance: JSONValue) -> ModelConfiguration {
        var published = configuration
        published.training = provenance
        return published
    }

    /// Trains through all stages, unless cancelled.
    mutating func train(
        into folder: RunFolder, isCancelled: () -> Bool, report: (Trainer.Event) -> Void
    ) throws {
        let total = totalSteps
        for stage in recipe.stages {
            state.optimizer = stage.optimizer.makeOptimizer()
            batches.begin(stage: stagesDone)
            let plan = StagePlan(stage, stagesDone, batches)
            for index in 0..<plan.steps {
                if isCancelled() { break }
                let epochs = batches.finishedEpochs
                let record = try takeStep(stage, plan, index)
                try folder.log(record)
                report(.stepped(record, images: record.files.count * configuration.modalities.count, of: total))
                if index + 1 < plan.steps && isValidationDue(since: epochs) { try validate(folder, report) }
            }
            try validate(folder, report)
            stagesDone += 1
            if isCancelled() { return }
        }
    }

    private func isValidationDue(since epochs: Int) -> Bool {
        switch recipe.validationInterval {
        case .steps(let count): count > 0 && step % count == 0
        case .epochs(let count): batches.finishedEpochs > epochs && batches.finishedEpochs % count == 0
        }
    }

    private mutating func takeStep(_ stage: Recipe.Stage, _ plan: StagePlan, _ index: Int) throws -> StepRecord {
        let epoch = batches.finishedEpochs
        let drawn = try batches.next(stage)
        let rate = stage.learningRate * plan.schedule.factor(step: index, of: plan.steps)
        // A generator for each step: a run that goes on draws what it would have drawn.
        let dropout =
            recipe.dropout > 0
            ? Dropout(
                probability: recipe.dropout, generator: SplitMix64(seed: seed, stream: 5, UInt64(step))) : nil
        let dropoutState = dropout?.state
        let (loss, terms) = try state.step(
            configuration, drawn.batch, stage, learningRate: rate, dropout: dropout)
        guard loss.isFinite else { throw TrainingError.diverged(step: step, loss: loss) }
        defer { step += 1 }
        return StepRecord(
            step: step, stage: stage.name, epoch: epoch, files: drawn.files, texts: drawn.texts,
            identities: drawn.batch.labels, triples: drawn.batch.triples, augmentation: drawn.augmentation,
            dropout: dropoutState, terms: terms, loss: loss, learningRate: rate)
    }

    /// Ranks the held-out sightings with the encoder that would be served, and keeps the weights if they are the best.
    private mutating func validate(_ folder: RunFolder, _ report: (Trainer.Event) -> Void) throws {
        try folder.save(configuration, state.weights, packed: state.packed, to: "checkpoints/last.safetensors")
        guard !data.held.sightings.isEmpty else {
            best = Best(weights: state.weights, step: step)
            return
        }
        let encoder = try MultimodalEncoder(
            configuration: configuration, weights: state.weights, model: "step \(step)")
        let metrics = try DatasetEvaluation(encoder).metrics(
            queries: data.held, gallery: data.held, modalities: configuration.modalities)
        let validation = Trainer.Validation(step: step, metrics: metrics)
        try folder.log(validation)
        if metrics.mAP > best.metrics?.mAP ?? -1 {
            best = Best(weights: state.weights, step: step, metrics: metrics)
            try folder.save(configuration, state.weights, packed: state.packed, to: "checkpoints/best.safetensors")
        }
        report(.validated(validation))
    }
}
