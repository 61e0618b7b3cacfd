import Foundation
import Hummingbird
import Serving

/// POST `/v1/embeddings`: triple → a vector a modality, and what they make together.
struct EmbeddingEndpoint {
    let encoding: EncodingService
    let models: AnsweringModels
    let bodies: BodyReader

    private struct Reply: Encodable {
        let model: String
        let modalities: [String]
        let embedding: [Float]
        let vectors: [String: [Float]]
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/embeddings") { request, _ in
            let body = try await bodies.triple(request)
            try body.options.finish()
            let encoder = try await models.current()
            let embedding = try await encoding.encode(body.triple(), with: encoder).embedding
            return try Answer.json(
                Reply(
                    model: encoder.model, modalities: embedding.modalities.map(\.rawValue), embedding: embedding.values,
                    vectors: embedding.named(order: encoder.modalities)))
        }
    }
}
