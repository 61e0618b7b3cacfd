import Foundation
import Gallery
import Hummingbird
import Serving

/// GET `/healthz`, `/readyz`, `/metrics`, `/openapi.yaml`.
struct HealthEndpoints {
    let gallery: GalleryStore
    let models: AnsweringModels
    let page: MetricsPage
    let isDraining: Live<Bool>

    private struct Health: Encodable {
        let status: String
    }

    private struct Readiness: Encodable {
        let status: String
        var model: String?
        var modalities: [String]?
        var dimension: Int?
        var sightings: Int?
    }

    func add(to router: Router<ServerContext>) {
        router.get("/healthz") { _, _ in try Answer.json(Health(status: "ok")) }
        router.get("/readyz") { _, context in try await ready(tellsMore: context.principal != nil) }
        router.get("/metrics") { _, _ in
            Answer.bytes(Data(try await page.text().utf8), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/openapi.yaml") { _, _ in
            Answer.bytes(Data(PackageResources.openapi_yaml), type: "application/yaml")
        }
    }

    /// Ready means: the model is loaded (or there would be no server) and the one of all servers, the gallery answers, its index has
    /// not fallen behind other servers, and the server is not about to end. More is told to whoever has a key.
    private func ready(tellsMore: Bool) async throws -> Response {
        guard !isDraining.current else { throw RequestError.stopping }
        try gallery.requireCurrent()
        let (encoder, sightings) = try await (models.current(), gallery.sightingCount())
        var answer = Readiness(status: "ready")
        if tellsMore {
            (answer.model, answer.modalities) = (encoder.model, encoder.modalities.map(\.rawValue))
            (answer.dimension, answer.sightings) = (encoder.dimension, sightings)
        }
        return try Answer.json(answer)
    }
}
