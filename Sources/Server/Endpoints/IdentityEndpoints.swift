import Foundation
import Gallery
import Hummingbird

/// GET and POST `/v1/galleries/{gallery}/identities`, GET, PATCH and DELETE `…/{identity}`.
struct IdentityEndpoints {
    let gallery: GalleryStore
    let bodies: BodyReader

    func add(to router: Router<ServerContext>) {
        let list: RouterPath = "/v1/galleries/{gallery}/identities"
        let one: RouterPath = "/v1/galleries/{gallery}/identities/{identity}"
        router.get(list) { request, context in
            try Answer.json(
                await gallery.identities(
                    in: context.parameter("gallery"), request.identityFilter(),
                    request.sortedPage { $0 == .lastSeen }))
        }
        router.post(list) { request, context in try await create(request, in: context.parameter("gallery")) }
        router.get(one) { _, context in
            try Answer.json(
                await gallery.identity(context.parameter("identity"), in: context.parameter("gallery")))
        }
        router.patch(one) { request, context in try await update(request, context) }
        router.delete(one) { _, context in
            try await gallery.deleteIdentity(
                context.parameter("identity"), in: context.parameter("gallery"))
            return Answer.nothing
        }
    }

    private func create(_ request: Request, in name: String) async throws -> Response {
        var fields = try await bodies.fields(request)
        guard let id = try fields.string("id") else {
            throw RequestError.invalid(field: "id", expected: "the identity's name", found: "nothing")
        }
        let label = try fields.string("label")
        let metadata = try fields.metadata("metadata") ?? [:]
        let watchlist = try fields.bool("watchlist") ?? false
        try fields.finish()
        let identity = try await gallery.createIdentity(
            id, in: name, label: label, metadata: metadata, watchlist: watchlist)
        return try Answer.json(
            identity, status: .created,
            headers: [.location: "/v1/galleries/\(name.pathEncoded)/identities/\(id.pathEncoded)"])
    }

    /// A merge patch (RFC 7396) of label, metadata and watchlist: null removes the label; metadata is replaced whole.
    private func update(_ request: Request, _ context: ServerContext) async throws -> Response {
        var fields = try await bodies.fields(request)
        var patch = IdentityPatch()
        let label = try fields.string("label")
        if fields.keys.contains("label") { patch.label = .set(label) }
        if let metadata = try fields.metadata("metadata") { patch.metadata = .set(metadata) }
        if let isWatched = try fields.bool("watchlist") { patch.watchlist = .set(isWatched) }
        try fields.finish()
        return try Answer.json(
            await gallery.updateIdentity(
                context.parameter("identity"), in: context.parameter("gallery"), patch))
    }
}
