import Inference
import Tensor

/// The tensors of one step.
struct TrainingBatch: Sendable {
    /// What the system reads.
    enum Input: Sendable {
        /// [B, H, W, 3] by modality.
        case images([Modality: Tensor])
        /// Indices into the vocabulary, B times.
        case texts([[Int]])
    }

    let input: Input
    /// The identity of each row, as the classifier counts them.
    let labels: [Int]
    /// [anchor, positive, negative] as indices into the batch.
    var triples: [[Int]] = []
    /// The modalities of the images, by their places among the model's; nil for all.
    var modalities: [Int]?

    /// The system's forward pass. Throws `EncoderError.noTexts` if it reads none.
    func run(_ system: any EncodingSystem) throws -> SystemOutput {
        switch input {
        case .images(let images): return system(images)
        case .texts(let texts):
            guard let system = system as? any TextEncodingSystem else {
                throw EncoderError.unsupported("batches of texts for a system without a text encoder")
            }
            return system(texts: texts)
        }
    }
}
