import Documents
import Foundation
import Inference
import Randomness

/// Repeats the logged steps of a training run from its initial weights, without its sampler: what a batch was, how its images
/// were changed and what dropout drew is in the log. On the same machine the losses are the same to the last bit.
package struct TrainingReplay {
    private let recipe: Recipe
    private let configuration: ModelConfiguration
    private let images: SightingImages
    /// Where each sighting is among the images.
    private let indices: [String: Int]
    private var state: TrainingState
    private var stage: String?
    /// Steps done in the stage.
    private var index = 0

    /// Reads a run folder's recipe, initial weights and centers. Throws what reading them throws.
    package init(run: URL, dataset: TriplesDataset) throws {
        recipe = try Recipe(path: run.appendingPathComponent("recipe.yaml").path)
        let folder = run.appendingPathComponent("checkpoints")
        let initial = try Checkpoint.load(path: folder.appendingPathComponent("initial.safetensors").path)
        configuration = initial.configuration
        images = SightingImages(
            try dataset.trainingSightings(configuration.modalities), Preprocessing(configuration.input),
            modalities: configuration.modalities)
        indices = Dictionary(uniqueKeysWithValues: images.sightings.enumerated().map { ($1.name, $0) })
        let centers = folder.appendingPathComponent("centers.safetensors").path
        let tensors =
            FileManager.default.fileExists(atPath: centers)
            ? try SafetensorsReader(path: centers).tensors { _ in true }.0 : [:]
        state = TrainingState(weights: initial.weights, centers: tensors[TrainingState.centersPath])
        if !initial.packed.isEmpty { state.mask = WeightMask(nonzerosOf: initial.weights, paths: initial.packed) }
    }

    /// Takes one step and returns its loss and terms.
    ///
    /// Throws `DocumentError.invalid` for a record that is not of this run and data, and what a step throws.
    package mutating func step(_ record: StepRecord) throws -> (loss: Float, terms: [String: Float]) {
        guard let stage = recipe.stages.first(where: { $0.name == record.stage }) else {
            throw DocumentError.invalid(field: "stage", expected: "one of the recipe's", found: record.stage)
        }
        if self.stage != stage.name { (state.optimizer, index) = (stage.optimizer.makeOptimizer(), 0) }
        self.stage = stage.name
        defer { index += 1 }
        let rows = try rows(of: record)
        let batch = TrainingBatch(
            input: try input(of: record, rows), labels: record.identities, triples: record.triples, rows: rows)
        let options = StepOptions(
            learningRate: record.learningRate, dropout: try dropout(of: record),
            dropPath: try dropPath(of: record),
            frozen: stage.frozenPaths(among: state.weights, step: index, epoch: record.epoch ?? 0),
            atOnce: recipe.atOnce)
        return try state.step(configuration, batch, stage, options)
    }

    private func dropout(of record: StepRecord) throws -> Dropout? {
        let generator = try Self.generator("dropout", record.dropout, recipe.dropout)
        return generator.map { Dropout(probability: recipe.dropout, generator: $0) }
    }

    private func dropPath(of record: StepRecord) throws -> DropPath? {
        let generator = try Self.generator("drop_path", record.dropPath, recipe.dropPath)
        return generator.map { DropPath(rate: recipe.dropPath, generator: $0) }
    }

    private static func generator(_ field: String, _ state: UInt64?, _ probability: Float) throws -> SplitMix64? {
        guard probability > 0 else { return nil }
        guard let state else {
            throw DocumentError.invalid(
                field: field, expected: "the generator's state, for a probability of \(probability)", found: "nothing")
        }
        return SplitMix64(seed: state)
    }

    private func rows(of record: StepRecord) throws -> BatchRows {
        guard let sets = record.sets else { return BatchRows(record.identities.count) }
        guard sets.count == record.identities.count else {
            throw DocumentError.invalid(
                field: "sets", expected: "one for each of \(record.identities.count) identities", found: "\(sets.count)"
            )
        }
        return BatchRows(sets.map(Set.init))
    }

    private func input(of record: StepRecord, _ rows: BatchRows) throws -> TrainingBatch.Input {
        if let texts = record.texts, case .dmf(let head) = configuration.system {
            return .texts(try texts.map(TextReader(head.text).tokens))
        }
        let indices = try record.files.map { name in
            guard let index = self.indices[name] else {
                throw DocumentError.invalid(field: "files", expected: "sightings of the data set", found: name)
            }
            return index
        }
        let modalities = record.modalities ?? configuration.modalities
        let counts = [indices.count, indices.count * modalities.count]
        if let draws = record.augmentation, !counts.contains(draws.count) {
            throw DocumentError.invalid(
                field: "augmentation", expected: "\(counts[0]) draws, one a sighting, or \(counts[1]), one an image",
                found: "\(draws.count)")
        }
        return .images(try images.tensors(at: indices, modalities, record.augmentation, rows))
    }
}
