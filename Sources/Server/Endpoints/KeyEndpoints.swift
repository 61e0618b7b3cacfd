import Documents
import Foundation
import Gallery
import Hummingbird
import Serving

/// GET `/v1/access`, GET and POST `/v1/keys`, GET and DELETE `/v1/keys/{key}`.
struct KeyEndpoints {
    let keys: KeyRing
    let bodies: BodyReader

    private struct Made: Encodable {
        let key: AccessKey
        /// Told this once.
        let token: String
    }

    private struct List: Encodable {
        let items: [AccessKey]
    }

    /// What whoever asks may do.
    private struct Access: Encodable {
        let id: String?
        let name: String
        let role: AccessRole
        let galleries: [String]?
        let operations: [String]

        init(_ principal: Principal) {
            (id, name, role, galleries) = (principal.id, principal.name, principal.role, principal.galleries)
            operations = AccessTable.operations(of: principal)
        }
    }

    func add(to router: Router<ServerContext>) {
        router.get("/v1/access") { _, context in try Answer.json(Access(context.principal ?? .anyone)) }
        router.get("/v1/keys") { _, _ in try Answer.json(List(items: keys.all)) }
        router.post("/v1/keys") { request, _ in try await create(request) }
        router.get("/v1/keys/{key}") { _, context in try Answer.json(keys.key(context.parameter("key"))) }
        router.delete("/v1/keys/{key}") { _, context in
            try Answer.json(await keys.revoke(context.parameter("key")))
        }
    }

    private func create(_ request: Request) async throws -> Response {
        var fields = try await bodies.fields(request)
        var new = NewAccessKey(
            name: try fields.require("name", .string), role: try fields.require("role", .choice))
        new.galleries = try fields.strings("galleries")
        new.requestsPerMinute = try fields.integer("requests_per_minute", 1...1_000_000)
        new.expiresAt = try fields.date("expires_at")
        try fields.finish()
        let made = try await keys.create(new)
        return try Answer.json(
            Made(key: made.key, token: made.token.text), status: .created,
            headers: [.location: "/v1/keys/\(made.key.id)", .cacheControl: "no-store"])
    }
}
