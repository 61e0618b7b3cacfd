import Foundation
import Gallery
import Hummingbird

/// GET and POST `/v1/galleries`, GET, PATCH and DELETE `/v1/galleries/{gallery}`, POST `…/erasures`.
struct GalleryEndpoints {
    let gallery: GalleryStore
    let bodies: BodyReader

    func add(to router: Router<ServerContext>) {
        router.get("/v1/galleries") { request, context in
            try Answer.json(await gallery.galleries(among: context.principal?.galleries, request.pageRequest()))
        }
        router.post("/v1/galleries") { request, context in try await create(request, context) }
        router.get("/v1/galleries/{gallery}") { _, context in
            try await Answer.json(GalleryView(gallery.gallery(context.parameter("gallery"))))
        }
        router.delete("/v1/galleries/{gallery}") { _, context in
            try await gallery.deleteGallery(context.parameter("gallery"))
            return Answer.nothing
        }
        router.patch("/v1/galleries/{gallery}") { request, context in try await update(request, context) }
        router.post("/v1/galleries/{gallery}/erasures") { request, context in
            var fields = try await bodies.fields(request)
            let filter = try fields.filter("filter")
            try fields.finish()
            let count = try await gallery.eraseSightings(filter, in: context.parameter("gallery"))
            return try Answer.json(["erased": count])
        }
    }

    /// A merge patch (RFC 7396) of label, metadata and retention: null removes; metadata are replaced whole.
    private func update(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await bodies.fields(request)
        var patch = GalleryPatch()
        let (label, days) = (try fields.string("label"), try fields.integer("retention_days", 1...36500))
        if fields.keys.contains("label") { patch.label = .set(label) }
        if fields.keys.contains("retention_days") { patch.retentionDays = .set(days) }
        if let metadata = try fields.metadata("metadata") { patch.metadata = .set(metadata) }
        try fields.finish()
        return try Answer.json(await gallery.updateGallery(context.parameter("gallery"), patch))
    }

    private func create(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await bodies.fields(request)
        guard let name = try fields.string("name") else {
            throw RequestError.invalid(field: "name", expected: "the gallery's name", found: "nothing")
        }
        try context.principal?.require(Permission(role: .admin, scope: .gallery), gallery: name)
        let label = try fields.string("label")
        let metadata = try fields.metadata("metadata")
        let days = try fields.integer("retention_days", 1...36500)
        try fields.finish()
        let made = try await gallery.createGallery(
            name, label: label, metadata: metadata ?? [:], retentionDays: days)
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
    let retentionDays: Int?
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
        retentionDays = summary.gallery.retentionDays
        identities = summary.identities
        sightings = summary.sightings
        images = summary.images
        imageBytes = summary.imageBytes
        models = summary.models
    }
}
