import Crypto
import Foundation
import Gallery
import Hummingbird
import Inference

/// GET and POST `/v1/galleries/{gallery}/identities/{identity}/sightings`, GET and DELETE `…/{sighting}`, and
/// GET `…/{sighting}/images/{modality}`.
struct SightingEndpoints {
    let service: Service

    func add(to router: Router<ServerContext>) {
        let list: RouterPath = "/v1/galleries/{gallery}/identities/{identity}/sightings"
        let one: RouterPath = "/v1/galleries/{gallery}/identities/{identity}/sightings/{sighting}"
        let image: RouterPath = "/v1/galleries/{gallery}/identities/{identity}/sightings/{sighting}/images/{modality}"
        router.get(list) { request, context in
            let page = try request.page()
            return try Answer.json(
                await service.gallery.sightings(
                    of: context.parameter("identity"), in: context.parameter("gallery"), limit: page.limit,
                    after: page.cursor))
        }
        router.post(list) { request, context in try await enrol(request, context) }
        router.get(one) { _, context in try Answer.json(await sighting(context)) }
        router.delete(one) { _, context in
            let sighting = try await sighting(context)
            try await service.gallery.deleteSighting(sighting.id, in: context.parameter("gallery"))
            return Answer.nothing
        }
        router.get(image) { _, context in
            let sighting = try await sighting(context)
            let kept = try await service.gallery.image(
                context.parameter("modality"), of: sighting.id, in: context.parameter("gallery"))
            return Answer.bytes(kept.bytes, type: kept.contentType)
        }
    }

    /// The sighting that the path names; one of another identity is not found there.
    private func sighting(_ context: ServerContext) async throws -> SightingRecord {
        let (gallery, id) = try (context.parameter("gallery"), context.parameter("sighting"))
        let sighting = try await service.gallery.sighting(id, in: gallery)
        guard try sighting.identity == context.parameter("identity") else {
            throw GalleryError.notFound(.sighting, id)
        }
        return sighting
    }

    /// Enrols a triple: decoded and encoded first, so that nothing of a refused one is stored; answered after the commit.
    private func enrol(_ request: Request, _ context: ServerContext) async throws -> Response {
        let (gallery, identity) = try (context.parameter("gallery"), context.parameter("identity"))
        var body = try await request.triple(service.limits)
        var enrolment = Enrolment(identity: identity)
        enrolment.camera = try body.options.string("camera")
        enrolment.capturedAt = try body.options.date("captured_at")
        enrolment.metadata = try body.options.metadata("metadata") ?? [:]
        enrolment.identityLabel = try body.options.string("label")
        try body.options.finish()
        enrolment.idempotency = request.headers[.idempotencyKey].map { key in
            Idempotency(key: key, fingerprint: fingerprint(body, identity))
        }
        try await service.gallery.requireGallery(gallery)  // An unknown gallery costs no encoding.
        let images = body.triple()
        if service.keepsImages { enrolment.images = images.sorted { $0.key < $1.key }.map(Self.kept) }
        let receipt = try await service.models.enrolling { [enrolment] encoders in
            var enrolment = enrolment
            enrolment.embeddings = try await embeddings(images, encoders)
            return try await service.gallery.enrol(enrolment, in: gallery)
        }
        if !receipt.isReplay { service.metrics.enrolled() }
        let path = "/v1/galleries/\(gallery.pathEncoded)/identities/\(identity.pathEncoded)/sightings/"
        return try Answer.json(
            receipt.sighting, status: .created, headers: [.location: path + receipt.sighting.id.pathEncoded])
    }

    /// Those of the active model, and of the candidate if there is one; it may know fewer modalities.
    private func embeddings(
        _ images: [Modality: Data], _ encoders: [any TripleEncoder]
    ) async throws -> [SightingEmbedding] {
        var embeddings = try await service.encode(images, with: encoders[0], withSubsets: true)
            .stored(model: encoders[0].model)
        for candidate in encoders.dropFirst() {
            let known = images.filter { candidate.modalities.contains($0.key) }
            guard !known.isEmpty else { continue }
            embeddings += try await service.encode(known, with: candidate, withSubsets: true)
                .stored(model: candidate.model)
        }
        return embeddings
    }

    /// Of what was sent, whatever its framing: a client that sends a form again chooses another boundary.
    private func fingerprint(_ body: TripleBody, _ identity: String) -> String {
        var hash = SHA256()
        hash.update(data: Data(identity.utf8))
        for (name, bytes) in body.images.sorted(by: { $0.key < $1.key }) {
            hash.update(data: Data("\0\(name)\0\(bytes.count)\0".utf8))
            hash.update(data: bytes)
        }
        hash.update(data: Data("\0\(body.options.canonical)".utf8))
        return hash.finalize().map { String(format: "%02x", $0) }.joined()
    }

    private static func kept(_ modality: Modality, _ bytes: Data) -> KeptImage {
        KeptImage(
            modality: modality.rawValue, contentType: bytes.first == 0x89 ? "image/png" : "image/jpeg", bytes: bytes)
    }
}
