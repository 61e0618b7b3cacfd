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
        sampler = try IdentitySampler(labels: data.labels, recipe.sampling, seed: seed, stream: [2])
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
        var sets: [[Modality]]?
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
        let triples = triples(labels)
        let all = recipe.model.modalities
        let present = modalities()
        let sets = sets(labels)
        let draws = recipe.augmentation == .none ? nil : changes(indices.count, present ?? all)
        let rows = sets.map { BatchRows($0.map(Set.init)) } ?? BatchRows(indices.count)
        let tensors = try data.images.tensors(at: indices, present ?? all, draws, rows)
        return Drawn(
            batch: TrainingBatch(input: .images(tensors), labels: labels, triples: triples, rows: rows),
            files: indices.map { data.images.sightings[$0].name }, augmentation: draws, modalities: present, sets: sets)
    }

    /// GraFT's [anchor, positive, negative].
    private func triples(_ labels: [Int]) -> [[Int]] {
        guard case .graft = recipe.model.system else { return [] }
        if case .triplets(let count, _) = recipe.sampling {
            return (0..<count).map { [$0, count + $0, 2 * count + $0] }
        }
        var generator = generator(8)
        return IdentitySampler.triples(labels: labels, positives: recipe.positives, &generator)
    }

    /// What is left of a batch that loses the same throughout; nil for all.
    private func modalities() -> [Modality]? {
        guard recipe.modalityDropout.unit == .batch else { return nil }
        var generator = generator(9)
        return recipe.modalityDropout.draw(recipe.model.modalities.count, &generator)?
            .map { recipe.model.modalities[$0] }
    }

    /// What is left of each triple where each loses its own; nil where all have all. A modality that only one identity would have
    /// is lost by none: nothing could be told from it.
    private func sets(_ labels: [Int]) -> [[Modality]]? {
        let all = recipe.model.modalities
        guard recipe.modalityDropout.unit == .triple, recipe.modalityDropout.share > 0 else { return nil }
        let drawn = labels.indices.map { row in
            var generator = generator(9, UInt64(row))
            return recipe.modalityDropout.draw(all.count, &generator) ?? Array(all.indices)
        }
        let kept = all.indices.filter { place in
            Set(labels.indices.filter { drawn[$0].contains(place) }.map { labels[$0] }).count == 1
        }
        return drawn.map { set in all.indices.filter { set.contains($0) || kept.contains($0) }.map { all[$0] } }
    }

    /// The changes to the triples of a batch, or to each image of each.
    private func changes(_ rows: Int, _ modalities: [Modality]) -> [Augmentation.Draw] {
        let input = recipe.model.input
        return (0..<rows).flatMap { row in
            recipe.augmentation.draws(width: input.width, height: input.height, images: modalities) { own in
                generator(4, UInt64(row), UInt64(own))
            }
        }
    }

    /// Random numbers for one thing in one batch.
    private func generator(_ keys: UInt64...) -> SplitMix64 {
        SplitMix64(seed: seed, stream: [keys[0], UInt64(stage), UInt64(drawn)] + keys.dropFirst())
    }
}
