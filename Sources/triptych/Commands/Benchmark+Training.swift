import ArgumentParser
import Inference
import Tensor
import Training

/// A training step on a batch that stays the same: what the trainer does between reading images and writing logs.
struct TrainingWorkload: BenchmarkWorkload {
    let model: String
    private let configuration: ModelConfiguration
    private let objective: Objective
    private let batch: Objective.Batch
    private let images: [Modality: Tensor]
    private var weights: Weights
    private var optimizer: any Optimizer = AdamW(AdamW.Options())

    /// - Parameter batch: triples; even, as each identity has two.
    init(_ loaded: Checkpoint, batch: Int) throws {
        guard [.unicat, .fusionConcat, .fusionAverage].contains(loaded.configuration.system) else {
            throw ValidationError("--training measures unicat, fusion_concat and fusion_average")
        }
        guard let identities = loaded.configuration.identities, identities >= batch / 2 else {
            throw ValidationError("expected a model of at least \(batch / 2) identities, with its classifiers")
        }
        (model, configuration) = (loaded.digest, loaded.configuration)
        objective = .identity(IdentityObjective(labelSmoothing: 0.1))
        self.batch = Objective.Batch(labels: (0..<batch).map { $0 / 2 })
        images = loaded.configuration.noise(batch: batch)
        weights = loaded.weights
    }

    mutating func once() throws {
        let statistics = RunningStatistics()
        let mode = ModelMode.training(dropout: nil, statistics: statistics)
        let system = try configuration.makeSystem(ParameterScope(weights, mode: mode))
        let gradients = gradients(of: objective(system(images), batch).total)
        optimizer.step(&weights, gradients: gradients, learningRate: 1e-4)
        for (path, statistic) in statistics.byPath { weights[path] = statistic }
    }
}
