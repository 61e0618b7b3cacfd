import Documents
import Foundation
import Inference
import Tensor

/// Repeats the logged steps of a run from its initial weights, without its sampler: what a batch was is in the log.
package struct TrainingReplay {
    private let recipe: Recipe
    private let configuration: ModelConfiguration
    private let images: [String: TriplesDataset.Sighting]
    private let preprocessing: Preprocessing
    private var state: TrainingState
    private var stage: String?

    /// Reads a run folder's recipe, initial weights and centers. Throws what reading them throws.
    package init(run: URL, dataset: TriplesDataset) throws {
        recipe = try Recipe(path: run.appendingPathComponent("recipe.yaml").path)
        let folder = run.appendingPathComponent("checkpoints")
        let initial = try Checkpoint.load(path: folder.appendingPathComponent("initial.safetensors").path)
        configuration = initial.configuration
        images = Dictionary(uniqueKeysWithValues: try dataset.sightings(.train).map { ($0.name, $0) })
        preprocessing = Preprocessing(configuration.input)
        let centers = folder.appendingPathComponent("centers.safetensors").path
        let tensors =
            FileManager.default.fileExists(atPath: centers)
            ? try SafetensorsReader(path: centers).tensors { _ in true }.0 : [:]
        state = TrainingState(weights: initial.weights, centers: tensors[TrainingState.centersPath])
        if !initial.packed.isEmpty { state.mask = WeightMask(nonzerosOf: initial.weights, paths: initial.packed) }
    }

    /// Takes one step and returns its loss and terms.
    package mutating func step(_ record: StepRecord) throws -> (loss: Float, terms: [String: Float]) {
        guard let stage = recipe.stages.first(where: { $0.name == record.stage }) else {
            throw DocumentError.invalid(field: "stage", expected: "one of the recipe's", found: record.stage)
        }
        if self.stage != stage.name { state.optimizer = stage.optimizer.makeOptimizer() }
        self.stage = stage.name
        let batch = TrainingBatch(
            input: try input(of: record), labels: record.identities, triples: record.triples)
        return try state.step(configuration, batch, stage, learningRate: record.learningRate, dropout: nil)
    }

    private func input(of record: StepRecord) throws -> TrainingBatch.Input {
        if let texts = record.texts, case .dmf(let head) = configuration.system {
            return .texts(try texts.map(TextReader(head.text).tokens))
        }
        let sightings = record.files.compactMap { images[$0] }
        let loaded = try SightingImages(sightings, preprocessing).images(at: Array(sightings.indices))
        let tensors = configuration.modalities.map { modality in
            (modality, preprocessing.tensor(loaded.compactMap { $0[modality] }, modality))
        }
        return .images(Dictionary(uniqueKeysWithValues: tensors))
    }
}
