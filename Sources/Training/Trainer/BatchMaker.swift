import Inference
import Randomness

/// Draws batches and makes tensors of them.
struct BatchMaker {
    private let data: TrainingData
    private let recipe: Recipe
    private var sampler: IdentitySampler
    private var generator: SplitMix64
    private var texts: TextSampler?

    init(_ data: TrainingData, _ recipe: Recipe, _ configuration: ModelConfiguration, seed: UInt64) throws {
        self.data = data
        self.recipe = recipe
        generator = SplitMix64(seed: seed, stream: 4)
        sampler = try IdentitySampler(
            labels: data.labels, identities: recipe.identities, perIdentity: recipe.sightings,
            generator: SplitMix64(seed: seed, stream: 2))
        if recipe.readsTexts, case .dmf(let head) = configuration.system {
            texts = try TextSampler(data.texts, TextReader(head.text), recipe, seed: seed)
        }
    }

    var batchesPerEpoch: Int { sampler.batchesPerEpoch }

    /// What a batch was made from.
    struct Drawn {
        let batch: TrainingBatch
        var files: [String] = []
        var texts: [String]?
        var augmentation: [Augmentation.Draw]?
    }

    mutating func next(_ stage: Recipe.Stage) throws -> Drawn {
        if let drawn = try texts?.next(share: stage.textShare) { return drawn }
        let indices = sampler.next()
        let labels = indices.map { data.labels[$0] }
        var triples: [[Int]] = []
        if case .graft = recipe.model.system { triples = sampler.triples(labels: labels, positives: recipe.positives) }
        let input = recipe.model.input
        var draws: [Augmentation.Draw]?
        if recipe.augmentation != .none {
            draws = indices.map { _ in
                recipe.augmentation.draw(width: input.width, height: input.height, &generator)
            }
        }
        let tensors = try data.images.tensors(at: indices, recipe.model.modalities, draws)
        return Drawn(
            batch: TrainingBatch(input: .images(tensors), labels: labels, triples: triples),
            files: indices.map { data.images.sightings[$0].name }, augmentation: draws)
    }
}
