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
            // Like is compared with like, as far as both sides have it.
            let (a, b) = (body.triple("a"), body.triple("b"))
            let shared = Set(a.keys).intersection(b.keys)
            let isShared = { (pair: (key: Modality, value: Data)) in shared.isEmpty || shared.contains(pair.key) }
            let first = try await service.encode(a.filter(isShared)).embedding
            let second = try await service.encode(b.filter(isShared)).embedding
            let score = zip(first.values, second.values).reduce(0) { $0 + $1.0 * $1.1 }
            // Rounding must not make a cosine of more than 1.
            return try Answer.json(
                Reply(
                    model: service.encoder.model, modalities: [first, second].map { $0.modalities.map(\.rawValue) },
                    score: min(max(score, -1), 1)))
        }
    }
}
