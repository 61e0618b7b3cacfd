import Inference
import Randomness

/// Draws batches of captions, P identities with K each, in place of a share of the batches of images (DMF, section III).
struct TextSampler {
    private let texts: TrainingTexts
    private let reader: TextReader
    private var sampler: IdentitySampler
    private var generator: SplitMix64

    init(_ texts: TrainingTexts, _ reader: TextReader, _ recipe: Recipe, seed: UInt64) throws {
        self.texts = texts
        self.reader = reader
        generator = SplitMix64(seed: seed, stream: 6)
        sampler = try IdentitySampler(
            labels: texts.labels, identities: recipe.identities, perIdentity: recipe.sightings,
            generator: SplitMix64(seed: seed, stream: 7))
    }

    /// A batch of captions, or nil if it is the images' turn. Throws `EncoderError.unknownWords` for a caption of which
    /// the model knows no word.
    mutating func next(share: Float) throws -> BatchMaker.Drawn? {
        guard generator.chance(share) else { return nil }
        let indices = sampler.next()
        let captions = indices.map { texts.captions[$0] }
        let batch = TrainingBatch(
            input: .texts(try captions.map(reader.tokens)), labels: indices.map { texts.labels[$0] })
        return BatchMaker.Drawn(batch: batch, texts: captions)
    }
}
