import Inference
import Randomness

/// Draws batches of captions, P identities with K each, in place of a share of the batches of images (DMF, section III).
struct TextSampler {
    private let texts: TrainingTexts
    private let reader: TextReader
    private let seed: UInt64
    private var sampler: IdentitySampler

    init(_ texts: TrainingTexts, _ reader: TextReader, _ recipe: Recipe, seed: UInt64) throws {
        self.texts = texts
        self.reader = reader
        self.seed = seed
        sampler = try IdentitySampler(
            labels: texts.labels, recipe.sampling, seed: seed, stream: [7])
    }

    /// Where it is.
    var position: IdentitySampler.Position { sampler.position }

    /// Begins a stage anew, or goes on in it.
    mutating func begin(stage: Int, at position: IdentitySampler.Position = .init()) {
        sampler = sampler.restarted(stream: [7, UInt64(stage)])
        sampler.go(to: position)
    }

    /// Whether a batch of a stage is of captions: by its number alone, so that it can be told in advance.
    func isTurn(stage: Int, drawn: Int, share: Float) -> Bool {
        var generator = SplitMix64(seed: seed, stream: 6, UInt64(stage), UInt64(drawn))
        return generator.chance(share)
    }

    /// A batch of captions. Throws `EncoderError.unknownWords` for a caption of which the model knows no word.
    mutating func next() throws -> BatchMaker.Drawn {
        let indices = sampler.next()
        let captions = indices.map { texts.captions[$0] }
        let batch = TrainingBatch(
            input: .texts(try captions.map(reader.tokens)), labels: indices.map { texts.labels[$0] },
            rows: BatchRows(indices.count))
        return BatchMaker.Drawn(batch: batch, texts: captions)
    }
}
