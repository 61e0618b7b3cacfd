import Inference

/// One row of a pruning run's table: a model and what was measured of it. The first is the parent.
public struct PrunedModel: Sendable, Codable, Equatable {
    /// The share that was to go; 0 for the parent.
    public let target: Double
    /// The share of weights or units that went.
    public let removed: Double
    /// The digest.
    public let model: String
    /// The file's name; the parent's lies elsewhere.
    public let file: String
    /// Bytes of the file.
    public let fileBytes: Int
    /// Parameters, memory and arithmetic.
    public let size: ModelSize
    /// Beside the parent, by size of batch.
    public let throughput: [ThroughputComparison]
    /// mAP and the rest.
    public let metrics: RetrievalMetrics
    /// Against the parent's embeddings.
    public let embeddingSpace: EmbeddingSpace

    private enum CodingKeys: String, CodingKey {
        case target, removed, model, file, size, throughput, metrics
        case fileBytes = "file_bytes"
        case embeddingSpace = "embedding_space"
    }
}
