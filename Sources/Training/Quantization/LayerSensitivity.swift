import Foundation
import Inference
import Tensor

/// The identities that a model's training held out, and how well the model ranks them.
struct HeldOutRanking {
    private let parent: Checkpoint
    private let ranking: RankingSet
    private let exact: Double
    /// All of their sightings.
    var images: SightingImages { ranking.queries }

    /// Finds them by the recipe and the seed in the model's file. Throws `QuantizationError.nobodyHeldOut`, `DatasetError`, or what encoding throws.
    init(_ parent: Checkpoint, in dataset: TriplesDataset) throws {
        guard let (recipe, seed) = parent.trainedBy else { throw QuantizationError.nobodyHeldOut }
        let data = try TrainingData(dataset, recipe, seed: seed)
        guard !data.held.sightings.isEmpty else { throw QuantizationError.nobodyHeldOut }
        self.parent = parent
        ranking = RankingSet(split: "held-out", queries: data.heldQueries, gallery: data.held, rule: data.rule)
        exact = try Self.mAP(parent.configuration, parent.weights, ranking)
    }

    /// What mAP loses by other weights; below 0 if it gains. Throws as `init` does.
    func loss(_ weights: Weights) throws -> Double { exact - (try Self.mAP(parent.configuration, weights, ranking)) }

    private static func mAP(_ configuration: ModelConfiguration, _ weights: Weights, _ ranking: RankingSet) throws
        -> Double
    {
        let encoder = try MultimodalEncoder(configuration: configuration, weights: weights, model: "candidate")
        return ranking.metrics(try ranking.embedded(by: encoder)).mAP
    }
}

extension Checkpoint {
    /// The recipe, of this model, and the seed that its training had, as its file tells them; nil of one that was not trained here.
    var trainedBy: (recipe: Recipe, seed: UInt64)? {
        guard let text = configuration.training?["recipe"]?.string,
            let seed = configuration.training?["seed"]?.integer, var recipe = try? Recipe(yaml: text)
        else { return nil }
        recipe.model = configuration
        return (recipe, UInt64(truncatingIfNeeded: seed))
    }
}

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
