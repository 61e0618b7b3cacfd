import Foundation
import Hummingbird
import Inference

/// POST `/v1/comparisons`: two triples → their similarity. Parts `a.rgb`, `b.rgb` …, or JSON
/// `{"a": {"images": …}, "b": {"images": …}}`.
struct ComparisonEndpoint {
    let service: Service

    private struct Reply: Encodable {
        let model: String
        /// Those compared of the first and of the second triple.
        let modalities: [[String]]
        /// Cosine.
        let score: Float
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/comparisons") { request, _ in
            let body = try await request.triple(service.limits, groups: ["a", "b"])
            try body.options.finish()
            let encoder = service.models.active
            let first = try await service.encode(body.triple("a"), with: encoder, withSubsets: true)
            let second = try await service.encode(body.triple("b"), with: encoder, withSubsets: true)
            // Like is compared with like, as far as both sides have it.
            let shared = Set(first.embedding.modalities).intersection(second.embedding.modalities)
            let pair = [first, second].map { $0.embedding(of: shared) }
            let score = zip(pair[0].values, pair[1].values).reduce(0) { $0 + $1.0 * $1.1 }
            // Rounding must not make a cosine of more than 1.
            return try Answer.json(
                Reply(
                    model: encoder.model, modalities: pair.map { $0.modalities.map(\.rawValue) },
                    score: min(max(score, -1), 1)))
        }
    }
}
