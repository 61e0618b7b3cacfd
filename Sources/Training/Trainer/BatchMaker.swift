import Inference
import Randomness

/// Draws batches and makes tensors of them.
///
/// What is drawn depends on the seed, the stage and the batch's number in it alone, never on what was drawn before: so a run
/// can go on from a ``Position``, and the length of a pass over the images is known in advance.
struct BatchMaker {
    /// Where a run is.
    struct Position: Codable, Equatable {
        /// Stages begun before this one, through all rounds.
        var stage = 0
        /// Batches drawn in the stage.
        var drawn = 0
        var images = IdentitySampler.Position()
        var texts = IdentitySampler.Position()
    }

    private let data: TrainingData
    private let recipe: Recipe
    private let seed: UInt64
    private var sampler: IdentitySampler
    private var texts: TextSampler?
    private var stage = 0
    private var drawn = 0
    private var scout: BatchScout

    init(_ data: TrainingData, _ recipe: Recipe, _ configuration: ModelConfiguration, seed: UInt64) throws {
        self.data = data
        self.recipe = recipe
        self.seed = seed
        sampler = try IdentitySampler(
            labels: data.labels, identities: recipe.identities, perIdentity: recipe.sightings, seed: seed, stream: [2])
        scout = BatchScout(sampler)
        if recipe.readsTexts, case .dmf(let head) = configuration.system {
            texts = try TextSampler(data.texts, TextReader(head.text), recipe, seed: seed)
        }
        begin(stage: 0)
    }

    /// Where it is.
    var position: Position {
        Position(stage: stage, drawn: drawn, images: sampler.position, texts: texts?.position ?? .init())
    }

    /// Begins a stage, with a new pass over the images.
    mutating func begin(stage: Int) { go(to: Position(stage: stage)) }

    /// Goes on from where a run was.
    mutating func go(to position: Position) {
        (stage, drawn) = (position.stage, position.drawn)
        sampler = sampler.restarted(stream: [2, UInt64(stage)])
        sampler.go(to: position.images)
        scout = BatchScout(sampler)
        texts?.begin(stage: stage, at: position.texts)
    }

    /// Passes over the images that are over in this stage.
    var finishedEpochs: Int { sampler.finishedEpochs }

    /// After how many batches of a stage its first passes over the images are over: one number a pass. Batches of texts,
    /// of which there must not be only such, come between. O(passes · sightings).
    func epochEnds(_ passes: Int, stage: Int, textShare: Float) -> [Int] {
        let ahead = sampler.restarted(stream: [2, UInt64(stage)])
        var (batches, ends) = (0, [Int]())
        for epoch in 0..<passes {
            var left = ahead.batches(ofEpoch: epoch)
            while left > 0 {
                if texts?.isTurn(stage: stage, drawn: batches, share: textShare) != true { left -= 1 }
                batches += 1
            }
            ends.append(batches)
        }
        return ends
    }

    /// What a batch was made from.
    struct Drawn {
        let batch: TrainingBatch
        var files: [String] = []
        var texts: [String]?
        var augmentation: [Augmentation.Draw]?
        var modalities: [Modality]?
    }

    mutating func next(_ stage: Recipe.Stage) throws -> Drawn {
        defer { drawn += 1 }
        if texts?.isTurn(stage: self.stage, drawn: drawn, share: stage.textShare) == true, let batch = try texts?.next()
        {
            return batch
        }
        scout.advance(data.images) { $0.next() }
        let indices = sampler.next()
        let labels = indices.map { data.labels[$0] }
        var triples: [[Int]] = []
        if case .graft = recipe.model.system {
            var generator = generator(8)
            triples = IdentitySampler.triples(labels: labels, positives: recipe.positives, &generator)
        }
        let places = modalities()
        let present = places.map { $0.map { recipe.model.modalities[$0] } }
        let draws = recipe.augmentation == .none ? nil : changes(indices.count, present ?? recipe.model.modalities)
        let tensors = try data.images.tensors(at: indices, present ?? recipe.model.modalities, draws)
        return Drawn(
            batch: TrainingBatch(input: .images(tensors), labels: labels, triples: triples, modalities: places),
            files: indices.map { data.images.sightings[$0].name }, augmentation: draws, modalities: present)
    }

    /// The places of the modalities that are left, each set of some but not all as likely; nil for all. A batch loses the same
    /// throughout, as triples of different modalities are encoded apart.
    private func modalities() -> [Int]? {
        var generator = generator(9)
        guard generator.chance(recipe.modalityDropout) else { return nil }
        let count = recipe.model.modalities.count
        let bits = 1 + generator.index(below: (1 << count) - 2)
        return (0..<count).filter { bits & 1 << $0 != 0 }
    }

    /// The changes to the triples of a batch, or to each image of each.
    private func changes(_ rows: Int, _ modalities: [Modality]) -> [Augmentation.Draw] {
        let (augmentation, input) = (recipe.augmentation, recipe.model.input)
        return (0..<rows).flatMap { row in
            (augmentation.isIndependent ? modalities : [modalities[0]]).map { modality in
                let own = augmentation.isIndependent ? 1 + (Modality.allCases.firstIndex(of: modality) ?? 0) : 0
                var generator = generator(4, UInt64(row), UInt64(own))
                return augmentation.draw(width: input.width, height: input.height, &generator)
            }
        }
    }

    /// Random numbers for one thing in one batch.
    private func generator(_ keys: UInt64...) -> SplitMix64 {
        SplitMix64(seed: seed, stream: [keys[0], UInt64(stage), UInt64(drawn)] + keys.dropFirst())
    }
}
