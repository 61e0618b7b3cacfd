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
    let seed: UInt64
    /// Steps done.
    private(set) var step = 0
    /// Stages that are over, through all rounds.
    private var stage = 0
    /// Steps done in the stage.
    private var index = 0
    /// Validations of the stage since one was the best.
    private var stale = 0

    init(
        _ recipe: Recipe, _ data: TrainingData, seed: UInt64, initial: Checkpoint?,
        transfer options: WeightTransfer.Options = .init(), report: (Trainer.Event) -> Void
    ) throws {
        self.recipe = recipe
        self.data = data
        configuration = try Self.configuration(recipe, data, from: initial?.configuration)
        var weights = try WeightInitialization.weights(
            for: configuration, classifier: recipe.classifier, seed: seed)
        var mask: WeightMask?
        if let initial {
            let transfer = WeightTransfer(
                from: initial.weights, of: initial.configuration, into: weights, for: configuration,
                positions: options.positions)
            try transfer.check(least: options.least, of: configuration)
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
        if recipe.averaging != nil { state.average = weights }
        best = Best(weights: weights, step: 0)
        try recipe.checkPatterns(state)
        batches = try BatchMaker(data, recipe, configuration, seed: seed)
        self.seed = seed
    }

    /// A run as it was when its state was written.
    ///
    /// - Parameter initial: what it started from: the zeros of pruned weights stay.
    init(_ recipe: Recipe, _ data: TrainingData, from snapshot: TrainingSnapshot, initial: Checkpoint) throws {
        let (progress, tensors) = (snapshot.progress, snapshot.tensors)
        self.recipe = recipe
        self.data = data
        configuration = try Self.configuration(recipe, data, from: initial.configuration)
        state = TrainingState(weights: tensors.under("weights"), centers: tensors[TrainingState.centersPath])
        if !initial.packed.isEmpty { state.mask = WeightMask(nonzerosOf: initial.weights, paths: initial.packed) }
        if recipe.averaging != nil { state.average = tensors.under("average") }
        best = Best(weights: state.weights, step: progress.step)
        if let validation = progress.best {
            best = Best(weights: tensors.under("best"), step: validation.step, metrics: validation.metrics)
        }
        seed = progress.origin.seed
        batches = try BatchMaker(data, recipe, configuration, seed: seed)
        (step, stage, index, stale) = (progress.step, progress.stage, progress.index, progress.stale)
        guard index > 0 else { return }
        batches.go(to: progress.batches)
        state.optimizer = recipe.stages[stage % recipe.stages.count].optimizer.makeOptimizer()
        state.optimizer.memory = OptimizerMemory(tensors.under("optimizer"), steps: progress.optimizerSteps)
    }

    /// The recipe's model, with what the data and the model that is started from add to it. Throws `DocumentError.invalid` if the
    /// latter's text side would be lost.
    private static func configuration(
        _ recipe: Recipe, _ data: TrainingData, from initial: ModelConfiguration?
    ) throws(DocumentError) -> ModelConfiguration {
        var configuration = recipe.model
        configuration.identities = data.identities.count
        try configuration.learnVocabulary(data.texts, from: initial)
        return configuration
    }

    /// How often all stages are gone through.
    var rounds = 1
    /// Whether this is the control of a pruning run, which its validations say.
    var isControl = false

    /// The steps of all stages. O(epochs · sightings).
    var totalSteps: Int {
        (0..<(rounds * recipe.stages.count)).reduce(0) {
            $0 + StagePlan(recipe.stages[$1 % recipe.stages.count], $1, batches).steps
        }
    }

    /// From now on, steps hold embeddings near a teacher's.
    mutating func distil(_ distillation: Distillation) { state.distillation = distillation }

    /// Goes on with a pruned model, perhaps of other widths: what was best before does not count any more.
    mutating func continueWith(_ configuration: ModelConfiguration, _ weights: Weights, mask: WeightMask?) {
        self.configuration = configuration
        state.weights = weights
        state.mask = mask
        mask?.apply(to: &state.weights)
        if state.average != nil { state.average = state.weights }
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

    /// Trains through the stages of a round, unless cancelled.
    ///
    /// - Parameter keeper: writes the state from time to time, if there is one.
    /// - Returns: whether it came to the end.
    mutating func train(
        into folder: RunFolder, keeper: inout SnapshotKeeper?, isCancelled: () -> Bool,
        report: (Trainer.Event) -> Void
    ) throws -> Bool {
        let total = totalSteps
        repeat {
            let stage = recipe.stages[self.stage % recipe.stages.count]
            let plan = StagePlan(stage, self.stage, batches)
            if index == 0 {
                stale = 0
                state.optimizer = stage.optimizer.makeOptimizer()
                batches.begin(stage: self.stage)
            }
            while index < plan.steps, !isOutOfPatience {
                if isCancelled() { return false }
                let epochs = batches.finishedEpochs
                let record = try takeStep(stage, plan, keeper)
                try folder.log(record)
                let images = record.images(modalities: configuration.modalities.count)
                report(.stepped(record, images: images, of: total))
                // What ends a stage comes after the loop.
                guard index < plan.steps else { break }
                if isValidationDue(since: epochs) { try validate(folder, report) }
                if keeper?.isDue(step: step) == true { try keeper?.keep(self, folder) }
            }
            if isOutOfPatience {
                report(.stoppedEarly(stage: stage.name, step: step, best: best.step))
            } else {
                try validate(folder, report)
            }
            (self.stage, index) = (self.stage + 1, 0)
            if keeper?.isDue(step: step) == true { try keeper?.keep(self, folder) }
        } while self.stage % recipe.stages.count != 0
        return true
    }

    /// Everything that is needed to go on from here.
    func snapshot(_ origin: TrainingOrigin, _ logs: RunFolder.Lengths) -> TrainingSnapshot {
        var tensors = Weights()
        tensors.merge(state.weights, under: "weights")
        tensors[TrainingState.centersPath] = state.centers
        tensors.merge(state.optimizer.memory.tensors, under: "optimizer")
        if let average = state.average { tensors.merge(average, under: "average") }
        if best.metrics != nil { tensors.merge(best.weights, under: "best") }
        return TrainingSnapshot(
            .init(
                origin: origin, step: step, stage: stage, index: index, batches: batches.position,
                stale: stale, best: best.metrics.map { validation(best.step, $0) },
                optimizerSteps: state.optimizer.memory.steps, logs: logs), tensors: tensors)
    }

    /// For a run that is stopped before anything was ranked: what there is is the best.
    mutating func settle() {
        if best.metrics == nil { best = Best(weights: state.published, step: step) }
    }

    private var isOutOfPatience: Bool { recipe.validation.patience.map { stale >= $0 } ?? false }

    private func isValidationDue(since epochs: Int) -> Bool {
        switch recipe.validation.interval {
        case .steps(let count): count > 0 && step % count == 0
        case .epochs(let count): batches.finishedEpochs > epochs && batches.finishedEpochs % count == 0
        }
    }

    private mutating func takeStep(
        _ stage: Recipe.Stage, _ plan: StagePlan, _ keeper: SnapshotKeeper?
    ) throws -> StepRecord {
        let epoch = batches.finishedEpochs
        let drawn = try batches.next(stage)
        let rate = stage.learningRate * plan.schedule.factor(step: index, of: plan.steps)
        // A generator for each step: a run that goes on draws what it would have drawn.
        let dropout =
            recipe.dropout > 0
            ? Dropout(
                probability: recipe.dropout, generator: SplitMix64(seed: seed, stream: 5, UInt64(step))) : nil
        let dropPath =
            recipe.dropPath > 0
            ? DropPath(rate: recipe.dropPath, generator: SplitMix64(seed: seed, stream: 20, UInt64(step))) : nil
        let (dropoutState, dropPathState) = (dropout?.state, dropPath?.state)
        let options = StepOptions(
            learningRate: rate, dropout: dropout, dropPath: dropPath,
            frozen: stage.frozenPaths(among: state.weights, step: index, epoch: epoch), averaging: recipe.averaging,
            atOnce: recipe.atOnce)
        let outcome: (loss: Float, terms: [String: Float])
        do {
            outcome = try state.step(configuration, drawn.batch, stage, options)
        } catch let divergence as Divergence {
            throw TrainingError.diverged(step: step, divergence.what, state: keeper?.newest)
        }
        defer { (step, index) = (step + 1, index + 1) }
        return StepRecord(
            step: step, stage: stage.name, epoch: epoch, files: drawn.files, modalities: drawn.modalities,
            sets: drawn.sets, texts: drawn.texts, identities: drawn.batch.labels, triples: drawn.batch.triples,
            augmentation: drawn.augmentation,
            dropout: dropoutState, dropPath: dropPathState, terms: outcome.terms, loss: outcome.loss, learningRate: rate
        )
    }

    /// Ranks the held-out sightings with the encoder that would be served, and keeps the weights if they are the best.
    private mutating func validate(_ folder: RunFolder, _ report: (Trainer.Event) -> Void) throws {
        try folder.save(configuration, state.published, packed: state.packed, to: "checkpoints/last.safetensors")
        guard !data.held.sightings.isEmpty else {
            best = Best(weights: state.published, step: step)
            return
        }
        let encoder = try MultimodalEncoder(
            configuration: configuration, weights: state.published, model: "step \(step)")
        let metrics = try DatasetEvaluation(encoder).metrics(
            queries: data.heldQueries, gallery: data.held, modalities: configuration.modalities, protocol: data.rule)
        let validation = validation(step, metrics)
        try folder.log(validation)
        stale += 1
        if metrics.mAP > best.metrics?.mAP ?? -1 {
            stale = 0
            best = Best(weights: state.published, step: step, metrics: metrics)
            try folder.save(configuration, state.published, packed: state.packed, to: "checkpoints/best.safetensors")
        }
        report(.validated(validation))
    }

    private func validation(_ step: Int, _ metrics: RetrievalMetrics) -> Trainer.Validation {
        Trainer.Validation(
            step: step, identities: data.heldIdentities, sightings: data.held.sightings.count, metrics: metrics,
            control: isControl ? true : nil)
    }
}
