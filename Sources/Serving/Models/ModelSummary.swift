import Documents
import Foundation
import Inference
import Tensor

/// What a model is, for those who choose among models.
package struct ModelSummary: Codable, Sendable {
    /// Its digest, or what its vectors are known by where it is computed in another precision than its file's.
    package private(set) var model: String
    /// Then the file's digest,
    package private(set) var checkpoint: String?
    /// and the precision.
    package private(set) var computed: Precision?
    package let system: String
    package let backbone: String
    package let modalities: [String]
    /// Elements of an embedding.
    package let dimension: Int
    package let parameters: Int
    /// The share of parameters that is zero.
    package let sparsity: Double
    /// Of the file.
    package let bytes: Int
    /// Of its narrowest weights.
    package let precision: Precision
    /// The model that it was made from by pruning or quantising.
    package let parent: String?
    /// Whether its self-test was there and passed.
    package var isSelfTested = false
    /// Where it comes from, but for the recipe.
    package let training: JSONValue?
    package let pruning: JSONValue?
    package let quantization: JSONValue?

    private enum CodingKeys: String, CodingKey {
        case model, system, backbone, modalities, dimension, parameters, sparsity, bytes, precision, parent, training
        case pruning, quantization, checkpoint, computed
        case isSelfTested = "selfTested"
    }

    /// - Parameters:
    ///   - digest: of the checkpoint's file.
    ///   - precision: of the checkpoint's narrowest weights.
    ///   - parts: of the checkpoint that the encoder was built from.
    ///   - bytes: of its file.
    init(_ encoder: MultimodalEncoder, _ digest: String, _ precision: Precision, parts: [Checkpoint.Part], bytes: Int) {
        let configuration = encoder.configuration
        model = encoder.model
        (checkpoint, computed) = model == digest ? (nil, nil) : (digest, encoder.precision)
        system = configuration.system.name.rawValue
        backbone = configuration.backbone.kind
        modalities = configuration.modalities.map(\.rawValue)
        dimension = encoder.dimension
        parameters = parts.reduce(0) { $0 + $1.parameters }
        sparsity = parts.sparsity
        self.bytes = bytes
        self.precision = precision
        parent = configuration.quantization?["parent"]?.string ?? EmbeddingSpace(pruning: configuration.pruning)?.parent
        training = configuration.training?.object.map {
            .object($0.filter { !["recipe", SelfTest.key].contains($0.key) })
        }
        (pruning, quantization) = (configuration.pruning, configuration.quantization)
    }

    /// The digest of its file.
    package var digest: String { checkpoint ?? model }

    /// The same file as it is known where float32 models are computed in some precision.
    func computed(in precision: Precision) -> ModelSummary {
        guard self.precision == .float32 else { return self }
        var summary = self
        summary.model = MultimodalEncoder.name(digest, computedIn: precision)
        (summary.checkpoint, summary.computed) = precision == .float32 ? (nil, nil) : (digest, precision)
        return summary
    }

    /// All that the vectors of a file may be known by.
    static func names(_ digest: String) -> [String] {
        [Precision.float32, .bfloat16].map { MultimodalEncoder.name(digest, computedIn: $0) }
    }

    /// How far its embeddings are from its parent's, if it says so.
    package var embeddingSpace: EmbeddingSpace? {
        quantization == nil ? EmbeddingSpace(pruning: pruning) : EmbeddingSpace(pruning: quantization)
    }
}

/// A model as it stands here, flat.
package struct ServedModel: Encodable {
    package let summary: ModelSummary
    /// Whether it answers.
    package let isActive: Bool
    /// The job that is to make it answer, if there is one that has not ended.
    package let activation: String?
    /// Sightings that it has embedded, over all galleries.
    package let sightings: Int

    private enum CodingKeys: String, CodingKey {
        case activation, sightings
        case isActive = "active"
    }

    package func encode(to encoder: any Encoder) throws {
        try summary.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(isActive, forKey: .isActive)
        try container.encodeIfPresent(activation, forKey: .activation)
        try container.encode(sightings, forKey: .sightings)
    }
}

extension ModelConfiguration.Backbone {
    /// As in a configuration.
    fileprivate var kind: String {
        switch self {
        case .resnet: "resnet"
        case .vit: "vit"
        }
    }
}
