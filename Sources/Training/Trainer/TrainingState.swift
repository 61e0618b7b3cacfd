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
    ///   - stage: what is minimised and frozen.
    ///   - learningRate: after the schedule.
    ///   - dropout: nil for none.
    /// - Returns: the loss and its terms, before the step.
    mutating func step(
        _ configuration: ModelConfiguration, _ batch: TrainingBatch, _ stage: Recipe.Stage, learningRate: Float,
        dropout: Dropout?
    ) throws -> (loss: Float, terms: [String: Float]) {
        let statistics = RunningStatistics()
        let mode = ModelMode.training(dropout: dropout, frozen: stage.frozen, statistics: statistics)
        let system = try configuration.makeSystem(ParameterScope(weights, mode: mode))
        let value = stage.objective(
            try batch.run(system),
            .init(labels: batch.labels, triples: batch.triples, centers: centers?.tracked(as: Self.centersPath)))
        let gradients = gradients(of: value.total)
        // The centers take part in the step like any other parameter.
        weights[Self.centersPath] = centers
        optimizer.step(&weights, gradients: gradients, learningRate: learningRate)
        centers = weights[Self.centersPath]
        weights[Self.centersPath] = nil
        for (path, statistic) in statistics.byPath { weights[path] = statistic }
        return (value.total.scalar, value.terms)
    }
}
