import Foundation
import Inference
import Tensor

/// How far a model's embeddings of some sightings move when weights of it become narrow.
struct LayerSensitivity {
    private let parent: Checkpoint
    private let images: SightingImages
    private let expected: [[Float]]

    /// Encodes the sightings by the parent. Throws as `DatasetEvaluation.embeddings` does.
    init(_ parent: Checkpoint, on images: SightingImages) throws {
        (self.parent, self.images) = (parent, images)
        expected = try Self.embeddings(parent.configuration, parent.weights, images)
    }

    /// The mean of 1 - cosine between the parent's embeddings and those by other weights. Throws as `init` does.
    func distance(_ weights: Weights) throws -> Double {
        let found = try Self.embeddings(parent.configuration, weights, images)
        let distances = zip(expected, found).map { 1 - Double(zip($0, $1).reduce(0) { $0 + $1.0 * $1.1 }) }
        return max(distances.reduce(0, +) / Double(max(distances.count, 1)), 0)
    }

    private static func embeddings(
        _ configuration: ModelConfiguration, _ weights: Weights, _ images: SightingImages
    ) throws -> [[Float]] {
        let encoder = try MultimodalEncoder(configuration: configuration, weights: weights, model: "candidate")
        return Embedding.normalised(
            try DatasetEvaluation(encoder, batch: 8).embeddings(images, modalities: encoder.modalities))
    }
}
