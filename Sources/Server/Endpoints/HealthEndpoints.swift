import Foundation
import Gallery
import Hummingbird
import Serving

/// GET `/healthz`, `/readyz`, `/metrics`, `/openapi.yaml`.
struct HealthEndpoints {
    let gallery: GalleryStore
    let models: ModelRegistry
    let metrics: ServerMetrics

    private struct Health: Encodable {
        let status: String
    }

    private struct Readiness: Encodable {
        let status: String
        let model: String
        let modalities: [String]
        let dimension: Int
        let sightings: Int
    }

    func add(to router: Router<ServerContext>) {
        router.get("/healthz") { _, _ in try Answer.json(Health(status: "ok")) }
        router.get("/readyz") { _, _ in try await ready() }
        router.get("/metrics") { _, _ in
            let active = models.active.model
            let text = metrics.exposition(
                sightings: try await gallery.sightingCount(), active: active,
                others: try await gallery.models().map(\.model).filter { $0 != active })
            return Answer.bytes(Data(text.utf8), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        router.get("/openapi.yaml") { _, _ in
            Answer.bytes(Data(PackageResources.openapi_yaml), type: "application/yaml")
        }
    }

    /// Ready means: the model is loaded (or there would be no server), and the gallery answers.
    private func ready() async throws -> Response {
        let encoder = models.active
        return try Answer.json(
            Readiness(
                status: "ready", model: encoder.model,
                modalities: encoder.modalities.map(\.rawValue), dimension: encoder.dimension,
                sightings: try await gallery.sightingCount()))
    }
}
