import Foundation
import Hummingbird
import Serving

/// POST `/v1/embeddings`: triple → vector.
struct EmbeddingEndpoint {
    let encoding: EncodingService
    let models: ModelRegistry
    let bodies: BodyReader

    private struct Reply: Encodable {
        let model: String
        let modalities: [String]
        let embedding: [Float]
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/embeddings") { request, _ in
            let body = try await bodies.triple(request)
            try body.options.finish()
            let encoder = models.active
            let encoded = try await encoding.encode(body.triple(), with: encoder)
            return try Answer.json(
                Reply(
                    model: encoder.model, modalities: encoded.embedding.modalities.map(\.rawValue),
                    embedding: encoded.embedding.values))
        }
    }
}
