import Foundation
import Inference
import Tensor
import Training

/// Encodes what a data set's tasks look at, by one model or an ensemble, a model in memory at a time.
struct ModelMeasurement: Sendable {
    /// Which sets of modalities will be ranked.
    enum Sets: Sendable {
        case whole, wholeAndEach, all
    }

    private let paths: [String]
    private let dataset: TriplesDataset
    private let tasks: [RetrievalTask]
    private let sets: Sets
    private let isFlipAveraged: Bool

    /// Throws `DatasetError`.
    init(
        _ source: EvaluationSource, _ dataset: TriplesDataset, _ paths: [String], sets: Sets, isMixed: Bool
    ) throws {
        (self.paths, self.dataset, self.sets) = (paths, dataset, sets)
        isFlipAveraged = source.flip
        tasks = try isMixed ? dataset.mixedTasks() : dataset.tasks()
    }

    /// Blocks: call it on a compute thread.
    func encoded() throws -> EncodedTasks {
        var images: TaskImages?
        var members: [EncodedSightings] = []
        for (number, path) in paths.enumerated() {
            let encoder = try encoder(path)
            let own = TaskImages(tasks, Preprocessing(encoder.configuration.input), modalities: encoder.modalities)
            let name = paths.count == 1 ? "encoding" : "encoding by model \(number + 1) of \(paths.count)"
            let progress = Progress(name, unit: "triples")
            members.append(
                try DatasetEvaluation(encoder, isFlipAveraged: isFlipAveraged)
                    .encoded(own.images, sets: sets.of(encoder.modalities)) { progress.update($0, of: $1) })
            images = images ?? own
        }
        guard let images else { preconditionFailure("validate() asks for a model") }
        return EncodedTasks(images, EncodedSightings.ensemble(members))
    }

    /// Blocks: call it on a compute thread.
    func texts() throws -> TextQueries { try TextQueries(dataset, try paths.map(encoder)) }

    private func encoder(_ path: String) throws -> MultimodalEncoder {
        try MultimodalEncoder(consuming: Checkpoint.load(path: path))
    }
}

extension ModelMeasurement.Sets {
    fileprivate func of(_ modalities: [Modality]) -> [Set<Modality>] {
        switch self {
        case .whole: [Set(modalities)]
        case .wholeAndEach: [Set(modalities)] + modalities.map { [$0] }
        case .all:
            (1..<(1 << modalities.count)).map { bits in
                Set(modalities.indices.filter { bits & 1 << $0 != 0 }.map { modalities[$0] })
            }
        }
    }
}
