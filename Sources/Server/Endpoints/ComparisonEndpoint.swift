import Foundation
import Hummingbird
import Serving

/// POST `/v1/comparisons`: two triples → their similarity. Parts `a.rgb`, `b.rgb` …, or JSON
/// `{"a": {"images": …}, "b": {"images": …}}`.
struct ComparisonEndpoint {
    let encoding: EncodingService
    let models: AnsweringModels
    let bodies: BodyReader

    private struct Reply: Encodable {
        let model: String
        /// Those compared of the first and of the second triple.
        let modalities: [[String]]
        /// Cosine.
        let score: Float
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/comparisons") { request, _ in
            let body = try await bodies.triple(request, groups: ["a", "b"])
            try body.options.finish()
            let encoder = try await models.current()
            let (modalities, score) = try await encoding.compare(
                (body.triple("a"), body.triple("b")), with: encoder)
            return try Answer.json(
                Reply(model: encoder.model, modalities: modalities.map { $0.map(\.rawValue) }, score: score))
        }
    }
}
