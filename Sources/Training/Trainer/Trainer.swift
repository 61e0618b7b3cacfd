import Documents
import Foundation
import Inference
import Randomness
import Tensor

/// Trains a model: a run folder with logs and checkpoints out of a recipe, a data set and a seed.
///
/// The same recipe, data, seed and machine give the same weights.
public struct Trainer: Sendable {
    /// How one validation went.
    public struct Validation: Sendable, Codable, Equatable {
        /// Steps done.
        public var step: Int
        /// On the held-out identities, every sighting against all others.
        public var metrics: RetrievalMetrics
    }

    /// What happens during a run, for whoever shows it.
    public enum Event: Sendable {
        case started(identities: Int, sightings: Int, heldOut: Int, incomplete: Int, parameters: Int, steps: Int)
        case initialized(WeightTransfer)
        /// So many weights were pruned in the checkpoint that the run starts from, and stay zero.
        case held(weights: Int)
        case stepped(StepRecord, images: Int, of: Int)
        case validated(Validation)
        case finished(digest: String, path: String)
    }

    private let recipe: Recipe
    private let dataset: TriplesDataset
    private let output: URL
    private let initial: Checkpoint?
    private let seed: UInt64

    /// - Parameters:
    ///   - recipe: how.
    ///   - dataset: what from.
    ///   - output: a new or empty folder.
    ///   - initial: whose weights to start from; those that were pruned stay zero.
    ///   - seed: of everything random.
    public init(
        recipe: Recipe, dataset: TriplesDataset, output: URL, initial: Checkpoint? = nil, seed: UInt64
    ) {
        self.recipe = recipe
        self.dataset = dataset
        self.output = output
        self.initial = initial
        self.seed = seed
    }

    /// Runs to the end, or to the end of the step in which `isCancelled` turns true. Blocks: call it on a compute thread.
    ///
    /// Throws `DatasetError`, `TrainingError`, `WeightsError`, `EncoderError` or `CheckpointError`.
    /// - Returns: the path of the finished model.
    @discardableResult
    public func run(isCancelled: () -> Bool = { false }, report: (Event) -> Void) throws -> String {
        let data = try TrainingData(dataset, recipe, seed: seed)
        var run = try TrainingRun(recipe, data, seed: seed, initial: initial, report: report)
        let folder = try RunFolder(output)
        try folder.write(recipe.yaml, to: "recipe.yaml")
        try folder.saveInitial(run.configuration, run.state)
        report(
            .started(
                identities: data.identities.count, sightings: data.labels.count, heldOut: data.held.sightings.count,
                incomplete: data.incomplete, parameters: run.state.weights.parameterCount, steps: run.totalSteps))
        try run.train(into: folder, isCancelled: isCancelled, report: report)
        return try finish(run, folder, report)
    }

    private func finish(_ run: TrainingRun, _ folder: RunFolder, _ report: (Event) -> Void) throws -> String {
        let configuration = try SelfTest.recorded(
            in: run.configuration(provenance: provenance(run)), weights: run.best.weights)
        let digest = try folder.save(
            configuration, run.best.weights, packed: run.state.packed, to: "model.safetensors")
        let path = folder.path.appendingPathComponent("model.safetensors").path
        report(.finished(digest: digest, path: path))
        return path
    }

    /// Where the weights come from.
    private func provenance(_ run: TrainingRun) -> JSONValue {
        var entries: [String: JSONValue] = [
            "seed": .integer(Int(truncatingIfNeeded: seed)), "recipe": .string(recipe.yaml),
            "data": .string(dataset.root.lastPathComponent), "steps": .integer(run.best.step),
            "training_identities": .integer(run.data.identities.count),
            "training_sightings": .integer(run.data.labels.count),
            "held_out_sightings": .integer(run.data.held.sightings.count),
        ]
        if let initial { entries["initialized_from"] = .string(initial.digest) }
        if let metrics = run.best.metrics {
            entries["validation"] = .object([
                "mAP": .number(metrics.mAP), "rank1": .number(metrics.rank1), "queries": .integer(metrics.queries),
            ])
        }
        return .object(entries)
    }
}

/// Why a training run cannot go on.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The run folder holds something already.
    case outputExists(String)
    /// The run folder cannot be written.
    case unwritable(String, String)
    /// The loss is not a number any more.
    case diverged(step: Int, loss: Float)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .outputExists(let path): "expected a new or empty folder for the run, found files in \(path)"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .diverged(let step, let loss): "the loss is \(loss) at step \(step): try a lower learning rate"
        }
    }
}
