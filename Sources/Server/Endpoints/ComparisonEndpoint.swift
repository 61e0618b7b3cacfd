import Foundation
import Hummingbird

/// POST `/v1/comparisons`: two triples → their similarity. Parts `a.rgb`, `b.rgb` …, or JSON
/// `{"a": {"images": …}, "b": {"images": …}}`.
struct ComparisonEndpoint {
    let service: Service

    private struct Reply: Encodable {
        let model: String
        /// Of the first and of the second triple.
        let modalities: [[String]]
        /// Cosine.
        let score: Float
    }

    func add(to router: Router<ServerContext>) {
        router.post("/v1/comparisons") { request, _ in
            let body = try await request.triple(service.limits, groups: ["a", "b"])
            try body.options.finish()
            let first = try await service.encode(body.triple("a")).embedding
            let second = try await service.encode(body.triple("b")).embedding
            let score = zip(first.values, second.values).reduce(0) { $0 + $1.0 * $1.1 }
            // Rounding must not make a cosine of more than 1.
            return try Answer.json(
                Reply(
                    model: service.encoder.model, modalities: [first, second].map { $0.modalities.map(\.rawValue) },
                    score: min(max(score, -1), 1)))
        }
    }
}
