import Foundation
import Gallery
import Hummingbird

/// GET and POST `/v1/galleries`, GET and DELETE `/v1/galleries/{gallery}`.
struct GalleryEndpoints {
    let gallery: GalleryStore
    let bodies: BodyReader

    func add(to router: Router<ServerContext>) {
        router.get("/v1/galleries") { request, _ in
            let page = try request.page()
            return try Answer.json(await gallery.galleries(limit: page.limit, after: page.cursor))
        }
        router.post("/v1/galleries") { request, _ in try await create(request) }
        router.get("/v1/galleries/{gallery}") { _, context in
            try await Answer.json(GalleryView(gallery.gallery(context.parameter("gallery"))))
        }
        router.delete("/v1/galleries/{gallery}") { _, context in
            try await gallery.deleteGallery(context.parameter("gallery"))
            return Answer.nothing
        }
    }

    private func create(_ request: Request) async throws -> Response {
        var fields = try await bodies.fields(request)
        guard let name = try fields.string("name") else {
            throw RequestError.invalid(field: "name", expected: "the gallery's name", found: "nothing")
        }
        let label = try fields.string("label")
        let metadata = try fields.metadata("metadata")
        try fields.finish()
        let made = try await gallery.createGallery(name, label: label, metadata: metadata ?? [:])
        return try Answer.json(
            made, status: .created, headers: [.location: "/v1/galleries/\(made.name.pathEncoded)"])
    }
}

/// A gallery with its counts, flat.
private struct GalleryView: Encodable {
    let name: String
    let label: String?
    let metadata: Metadata
    let createdAt: Date
    let identities: Int
    let sightings: Int
    let images: Int
    let imageBytes: Int
    let models: [ModelCoverage]

    init(_ summary: GallerySummary) {
        name = summary.gallery.name
        label = summary.gallery.label
        metadata = summary.gallery.metadata
        createdAt = summary.gallery.createdAt
        identities = summary.identities
        sightings = summary.sightings
        images = summary.images
        imageBytes = summary.imageBytes
        models = summary.models
    }
}
