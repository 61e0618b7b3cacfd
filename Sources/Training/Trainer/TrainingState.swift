import Inference
import Randomness
import Tensor

/// What a training step changes.
struct TrainingState: Sendable {
    /// The model's, batch statistics included.
    var weights: Weights
    /// GraFT's learned centers, [identities, D], and no other's. Not part of the model.
    var centers: Tensor?
    /// New in each stage.
    var optimizer: any Optimizer
    /// Weights that were pruned, and stay zero.
    var mask: WeightMask?
    /// Paths of the weights that a file should hold without their zeros.
    var packed: Set<String> { Set((mask?.kept ?? [:]).keys) }
    /// What embeddings are held near to.
    var distillation: Distillation?
    /// The weights' moving average, if there is one.
    var average: Weights?
    /// What is ranked and published.
    var published: Weights { average ?? weights }

    /// The path of the centers among the gradients.
    static let centersPath = "centers"

    /// A state before the first step of its first stage.
    init(weights: Weights, of configuration: ModelConfiguration, seed: UInt64) {
        var centers: Tensor?
        if case .graft = configuration.system {
            let (identities, width) = (configuration.identities ?? 0, configuration.backbone.width)
            var generator = SplitMix64(seed: seed, stream: 3)
            centers = Tensor((0..<(identities * width)).map { _ in generator.normal() }, shape: [identities, width])
        }
        self.init(weights: weights, centers: centers)
    }

    init(weights: Weights, centers: Tensor?) {
        self.weights = weights
        self.centers = centers
        optimizer = AdamW(AdamW.Options())
    }

    /// One step: forward, loss, gradients, optimiser, batch statistics.
    ///
    /// - Parameters:
    ///   - configuration: with the number of identities.
    ///   - batch: tensors, labels and triples.
    ///   - stage: what is minimised, and how.
    ///   - frozen: the beginnings of the paths that stay as they are.
    ///   - averaging: what stays of the average; nil for none.
    ///   - learningRate: after the schedule.
    ///   - dropout: nil for none.
    ///   - dropPath: nil for none.
    /// - Returns: the loss and its terms, before the step.
    mutating func step(
        _ configuration: ModelConfiguration, _ batch: TrainingBatch, _ stage: Recipe.Stage, learningRate: Float,
        dropout: Dropout?, dropPath: DropPath? = nil, frozen: [String], averaging: Float? = nil
    ) throws -> (loss: Float, terms: [String: Float]) {
        let statistics = RunningStatistics()
        let mode = ModelMode.training(
            dropout: dropout, dropPath: dropPath, frozen: frozen, statistics: statistics)
        let (output, value) = try objective(configuration, batch, stage, mode)
        var (total, terms) = (value.total, value.terms)
        if let distillation {
            let term = try distillation.term(output.embedding, batch)
            terms["distillation"] = term.scalar
            total = total + term.scaled(by: distillation.weight)
        }
        var gradients = gradients(of: total)
        if let limit = stage.clipNorm { gradients = gradients.clipped(toNorm: limit) }
        // The centers take part in the step like any other parameter.
        weights[Self.centersPath] = centers
        optimizer.step(&weights, gradients: gradients, learningRate: learningRate, groups: stage.groups)
        centers = weights[Self.centersPath]
        weights[Self.centersPath] = nil
        for (path, statistic) in statistics.byPath { weights[path] = statistic }
        mask?.apply(to: &weights)
        if let averaging { average = Self.mixed(average ?? weights, weights, averaging) }
        return (total.scalar, terms)
    }

    private static func mixed(_ old: Weights, _ new: Weights, _ share: Float) -> Weights {
        Weights(
            new.tensors.reduce(into: [:]) { mixed, entry in
                guard let old = old[entry.key] else { return }
                mixed[entry.key] = old.scaled(by: share) + entry.value.scaled(by: 1 - share)
            })
    }

    /// A forward pass and the system's own objective.
    private func objective(
        _ configuration: ModelConfiguration, _ batch: TrainingBatch, _ stage: Recipe.Stage, _ mode: ModelMode
    ) throws -> (output: SystemOutput, value: Objective.Value) {
        let output = try batch.run(try configuration.makeSystem(ParameterScope(weights, mode: mode)))
        let value = stage.objective(
            output,
            .init(
                labels: batch.labels, triples: batch.triples, centers: centers?.tracked(as: Self.centersPath),
                modalities: batch.modalities))
        return (output, value)
    }

    /// The gradients of the system's own objective with respect to every parameter, frozen ones included; nothing changes.
    func objectiveGradients(
        _ configuration: ModelConfiguration, _ batch: TrainingBatch, _ stage: Recipe.Stage
    ) throws -> [String: Tensor] {
        let mode = ModelMode.training(dropout: nil, statistics: RunningStatistics())
        return gradients(of: try objective(configuration, batch, stage, mode).value.total)
    }
}
