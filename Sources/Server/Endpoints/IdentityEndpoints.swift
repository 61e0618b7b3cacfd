import Foundation
import Gallery
import Hummingbird

/// GET and POST `/v1/galleries/{gallery}/identities`, GET, PATCH and DELETE `…/{identity}`.
struct IdentityEndpoints {
    let service: Service

    func add(to router: Router<ServerContext>) {
        let list: RouterPath = "/v1/galleries/{gallery}/identities"
        let one: RouterPath = "/v1/galleries/{gallery}/identities/{identity}"
        router.get(list) { request, context in
            let page = try request.page()
            return try Answer.json(
                await service.gallery.identities(
                    in: context.parameter("gallery"), limit: page.limit, after: page.cursor))
        }
        router.post(list) { request, context in try await create(request, in: context.parameter("gallery")) }
        router.get(one) { _, context in
            try Answer.json(
                await service.gallery.identity(context.parameter("identity"), in: context.parameter("gallery")))
        }
        router.patch(one) { request, context in try await update(request, context) }
        router.delete(one) { _, context in
            try await service.gallery.deleteIdentity(
                context.parameter("identity"), in: context.parameter("gallery"))
            return Answer.nothing
        }
    }

    private func create(_ request: Request, in gallery: String) async throws -> Response {
        var fields = try await request.fields(service.limits)
        guard let id = try fields.string("id") else {
            throw RequestError.invalid(field: "id", expected: "the identity's name", found: "nothing")
        }
        let label = try fields.string("label")
        let metadata = try fields.metadata("metadata")
        try fields.finish()
        let identity = try await service.gallery.createIdentity(
            id, in: gallery, label: label, metadata: metadata ?? [:])
        return try Answer.json(
            identity, status: .created,
            headers: [.location: "/v1/galleries/\(gallery.pathEncoded)/identities/\(id.pathEncoded)"])
    }

    /// A merge patch (RFC 7396) of label and metadata: null removes the label; metadata is replaced whole.
    private func update(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await request.fields(service.limits)
        var patch = IdentityPatch()
        let label = try fields.string("label")
        if fields.keys.contains("label") { patch.label = .set(label) }
        if let metadata = try fields.metadata("metadata") { patch.metadata = .set(metadata) }
        try fields.finish()
        return try Answer.json(
            await service.gallery.updateIdentity(
                context.parameter("identity"), in: context.parameter("gallery"), patch))
    }
}
