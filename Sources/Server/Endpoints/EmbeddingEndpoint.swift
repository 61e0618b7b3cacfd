import Foundation
import Hummingbird

/// POST `/v1/embeddings`: triple → vector.
struct EmbeddingEndpoint {
    let service: Service

    private struct Reply: Encodable {
        let model: String
        let modalities: [String]
        let embedding: [Float]
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/embeddings") { request, _ in
            let body = try await request.triple(service.limits)
            try body.options.finish()
            let encoder = service.models.active
            let encoded = try await service.encode(body.triple(), with: encoder)
            return try Answer.json(
                Reply(
                    model: encoder.model, modalities: encoded.embedding.modalities.map(\.rawValue),
                    embedding: encoded.embedding.values))
        }
    }
}

extension Request {
    /// The body as one or more triples. Throws `RequestError`.
    func triple(_ limits: ServerConfiguration.Limits, groups: [String] = [""]) async throws -> TripleBody {
        try TripleBody(
            await bytes(limits), contentType: headers[.contentType] ?? "", mostParts: limits.parts, groups: groups)
    }
}
