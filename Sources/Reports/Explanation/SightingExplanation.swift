import Foundation
import Imaging
import Inference
import Tensor
import Training

/// Where a model looks on the images of some sightings.
struct SightingExplanations {
    /// One sighting.
    struct Entry {
        let sighting: TriplesDataset.Sighting
        /// By modality, rows of numbers that are not negative.
        let maps: [Modality: [[Float]]]
        /// The trained identity that it is taken for.
        let takenFor: String?
    }

    /// What the maps are.
    let kind: Explanation.Kind
    let entries: [Entry]

    /// Explains sightings that have the same of the model's modalities, at least one. Blocks, and throws `DatasetError`,
    /// `WeightsError` or `EncoderError`.
    ///
    /// - Parameter identities: that were trained, in the classifier's order.
    init(_ sightings: [TriplesDataset.Sighting], _ checkpoint: Checkpoint, identities: [String]) throws {
        let (configuration, preprocessing) = (checkpoint.configuration, Preprocessing(checkpoint.configuration.input))
        let images = SightingImages(sightings, preprocessing, modalities: configuration.modalities)
        let loaded = try images.images(at: Array(sightings.indices))
        let present = configuration.modalities.filter { sightings[0].files[$0] != nil }
        let tensors = present.map { modality in
            (modality, preprocessing.tensor(loaded.compactMap { $0[modality] }, modality))
        }
        let found = try configuration.explanation(
            checkpoint.weights, of: Dictionary(uniqueKeysWithValues: tensors))
        kind = found.kind
        let maps = found.maps.mapValues(Self.rows)
        entries = sightings.enumerated().map { index, sighting in
            let place = found.classes?[index]
            return Entry(
                sighting: sighting, maps: maps.mapValues { $0[index] },
                takenFor: place.flatMap { identities.indices.contains($0) ? identities[$0] : nil })
        }
    }

    /// [B, rows, columns] as nested lists.
    private static func rows(_ maps: Tensor) -> [[[Float]]] {
        let (height, width, scalars) = (maps.shape[1], maps.shape[2], maps.scalars)
        return (0..<maps.shape[0]).map { image in
            (0..<height).map { row in
                let start = (image * height + row) * width
                return Array(scalars[start..<(start + width)])
            }
        }
    }
}

extension Explanation.Kind {
    /// In words.
    var title: String {
        switch self {
        case .fusionAttention: "Attention of the fusion tokens"
        case .classAttention: "Attention of the class token"
        case .classActivation: "Class activation"
        }
    }

    /// What the maps say.
    var explanation: String {
        switch self {
        case .fusionAttention:
            "How much the tokens that become the embedding attend to each patch, in the encoder layer of the modality, "
                + "averaged over its heads. Bright is most, for each picture on its own."
        case .classAttention:
            "How much the class token attends to each patch in the last block, averaged over its heads. Bright is most, for "
                + "each picture on its own."
        case .classActivation:
            "What each place adds to the score of the trained identity that the model takes the sighting for. Bright is "
                + "most, for each picture on its own."
        }
    }
}
