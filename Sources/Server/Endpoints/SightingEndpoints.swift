import Foundation
import Gallery
import Hummingbird
import Serving

/// GET `/v1/galleries/{gallery}/sightings` and `…/facets`, GET and POST `/v1/galleries/{gallery}/identities/{identity}/sightings`, GET, PATCH and DELETE `…/{sighting}`, and
/// GET `…/{sighting}/images/{modality}`.
struct SightingEndpoints {
    let gallery: GalleryStore
    let enrolment: EnrolmentService
    let encoding: EncodingService
    let bodies: BodyReader
    let metrics: ServerMetrics

    func add(to router: Router<ServerContext>) {
        let list: RouterPath = "/v1/galleries/{gallery}/identities/{identity}/sightings"
        let one: RouterPath = "/v1/galleries/{gallery}/identities/{identity}/sightings/{sighting}"
        let image: RouterPath = "/v1/galleries/{gallery}/identities/{identity}/sightings/{sighting}/images/{modality}"
        router.get(list) { request, context in
            try Answer.json(
                await gallery.sightings(
                    of: context.parameter("identity"), in: context.parameter("gallery"), request.pageRequest()))
        }
        router.get("/v1/galleries/{gallery}/sightings") { request, context in
            try Answer.json(
                await gallery.sightings(
                    in: context.parameter("gallery"), request.sightingFilter(), request.sortedPage()))
        }
        router.get("/v1/galleries/{gallery}/facets") { request, context in try await facets(request, context) }
        router.post(list) { request, context in try await enrol(request, context) }
        router.get(one) { _, context in try Answer.json(await sighting(context)) }
        router.patch(one) { request, context in try await update(request, context) }
        router.delete(one) { _, context in
            let sighting = try await sighting(context)
            try await gallery.deleteSighting(sighting.id, in: context.parameter("gallery"))
            return Answer.nothing
        }
        router.get(image) { request, context in try await show(request, context) }
    }

    private func facets(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (name, filter) = (try context.parameter("gallery"), try request.sightingFilter())
        let bucket: TimeBucket = try request.choice("bucket") ?? .day
        let found = try await Deadline.run(seconds: GalleryStore.facetSeconds) { [gallery] in
            try await gallery.facets(in: name, filter, by: bucket)
        }
        return try Answer.json(found)
    }

    /// A kept image as it was enrolled, or a picture of it that is as wide as asked for, or cropped.
    private func show(_ request: Request, _ context: ServerContext) async throws -> Response {
        let sighting = try await sighting(context)
        let modality = try context.parameter("modality")
        let isPicture = request.uri.queryParameters.has("width")
        let width = isPicture ? try request.integer("width", 16...2048, default: 2048) : nil
        let isCropped = try request.flag("crop")
        let kept = try await gallery.image(modality, of: sighting.id, in: context.parameter("gallery"))
        let tag = "\(sighting.id)-\(modality)\(width.map { "-\($0)" } ?? "")\(isCropped ? "-crop" : "")"
        guard width != nil || isCropped, !Answer.hasTag("\"\(tag)\"", request) else {
            return try Answer.tagged(kept.bytes, type: kept.contentType, tag: tag, for: request)
        }
        let picture = try await encoding.picture(of: kept, width: width, isCropped: isCropped)
        return try Answer.tagged(picture, type: "image/jpeg", tag: tag, for: request)
    }

    /// The sighting that the path names; one of another identity is not found there.
    private func sighting(_ context: ServerContext) async throws -> SightingRecord {
        let id = try context.parameter("sighting")
        let sighting = try await gallery.sighting(id, in: context.parameter("gallery"))
        guard try sighting.identity == context.parameter("identity") else {
            throw GalleryError.notFound(.sighting, id)
        }
        return sighting
    }

    /// A merge patch (RFC 7396) of camera, time and metadata: null removes the first two; metadata are replaced whole.
    private func update(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await bodies.fields(request)
        var patch = SightingPatch()
        let (camera, time) = (try fields.string("camera"), try fields.date("captured_at"))
        if fields.keys.contains("camera") { patch.camera = .set(camera) }
        if fields.keys.contains("captured_at") { patch.capturedAt = .set(time) }
        if let metadata = try fields.metadata("metadata") { patch.metadata = .set(metadata) }
        try fields.finish()
        let sighting = try await sighting(context)
        return try Answer.json(
            await gallery.updateSighting(sighting.id, in: context.parameter("gallery"), patch))
    }

    private func enrol(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (name, identity) = try (context.parameter("gallery"), context.parameter("identity"))
        var body = try await bodies.triple(request)
        var sighting = NewSighting(identity: identity, images: body.triple())
        sighting.camera = try body.options.string("camera")
        sighting.capturedAt = try body.options.date("captured_at")
        sighting.metadata = try body.options.metadata("metadata") ?? [:]
        sighting.identityLabel = try body.options.string("label")
        sighting.vectors = try body.options.vectors()
        try body.options.finish()
        guard sighting.vectors == nil || sighting.images.isEmpty else {
            throw RequestError.invalid(field: "vectors", expected: "either images or vectors", found: "both")
        }
        sighting.idempotencyKey = request.headers[.idempotencyKey]
        let receipt = try await enrolment.enrol(sighting, in: name)
        if !receipt.isReplay { metrics.enrolled() }
        let path = "/v1/galleries/\(name.pathEncoded)/identities/\(identity.pathEncoded)/sightings/"
        return try Answer.json(
            receipt.sighting, status: .created, headers: [.location: path + receipt.sighting.id.pathEncoded])
    }
}
