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
    private let dropout: Dropout?
    private var step = 0

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
        dropout =
            recipe.dropout > 0
            ? Dropout(probability: recipe.dropout, generator: SplitMix64(seed: seed, stream: 5)) : nil
    }

    /// The steps of a stage.
    func steps(of stage: Recipe.Stage) -> Int {
        switch stage.length {
        case .steps(let count): count
        case .epochs(let count): count * batches.batchesPerEpoch
        }
    }

    /// How often all stages are gone through.
    var rounds = 1

    /// The steps of all stages.
    var totalSteps: Int { rounds * recipe.stages.reduce(0) { $0 + steps(of: $1) } }

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
        for stage in recipe.stages {
            state.optimizer = stage.optimizer.makeOptimizer()
            let count = steps(of: stage)
            for index in 0..<count {
                if isCancelled() { break }
                let record = try takeStep(stage, index, of: count)
                try folder.log(record)
                report(.stepped(record, images: record.files.count * configuration.modalities.count, of: totalSteps))
                let isDue = recipe.validationInterval > 0 && step % recipe.validationInterval == 0
                if isDue && index + 1 < count { try validate(folder, report) }
            }
            try validate(folder, report)
            if isCancelled() { return }
        }
    }

    private mutating func takeStep(_ stage: Recipe.Stage, _ index: Int, of count: Int) throws -> StepRecord {
        let drawn = try batches.next(stage)
        let rate = stage.learningRate * stage.schedule.factor(step: index, of: count)
        let dropoutState = dropout?.state
        let (loss, terms) = try state.step(
            configuration, drawn.batch, stage, learningRate: rate, dropout: dropout)
        guard loss.isFinite else { throw TrainingError.diverged(step: step, loss: loss) }
        defer { step += 1 }
        return StepRecord(
            step: step, stage: stage.name, files: drawn.files, texts: drawn.texts, identities: drawn.batch.labels,
            triples: drawn.batch.triples, augmentation: drawn.augmentation, dropout: dropoutState, terms: terms,
            loss: loss, learningRate: rate)
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
