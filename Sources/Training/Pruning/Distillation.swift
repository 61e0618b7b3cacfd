import Inference
import Tensor

/// Holds a model's embeddings near those of another, its teacher: the mean of 1 - cosine over a batch.
struct Distillation: Sendable {
    private let teacher: any EncodingSystem
    /// Of the term in the loss.
    let weight: Float

    /// Builds the teacher for inference. Throws `WeightsError` or `EncoderError`.
    init(_ configuration: ModelConfiguration, _ teacher: Weights, weight: Float) throws {
        self.teacher = try configuration.makeSystem(ParameterScope(teacher, mode: .inference))
        self.weight = weight
    }

    /// The term for what the model made of a batch. Throws `EncoderError` if the batch is of texts and the teacher reads
    /// none.
    func term(_ embedding: Tensor, _ batch: TrainingBatch) throws -> Tensor {
        let expected = try batch.embed(teacher).normalizedRows()
        return (embedding.normalizedRows() * expected).sum(axis: 1).mean().scaled(by: -1).adding(1)
    }
}

extension TrainingBatch {
    /// The embeddings that a system serves: [B, D]. Throws `EncoderError` if it cannot read the batch.
    func embed(_ system: any EncodingSystem) throws -> Tensor {
        switch input {
        case .images(let images): return system.embed(images, rows)
        case .texts(let texts):
            guard let system = system as? any TextEncodingSystem else { throw EncoderError.noText }
            return system.embed(texts: texts)
        }
    }
}
