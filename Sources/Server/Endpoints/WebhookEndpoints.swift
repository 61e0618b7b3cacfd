import Documents
import Foundation
import Gallery
import Hummingbird
import Serving

/// GET and POST `/v1/webhooks`, GET and DELETE `/v1/webhooks/{webhook}`, POST `…/revive`.
struct WebhookEndpoints {
    let gallery: GalleryStore
    let bodies: BodyReader
    let configuration: ServerConfiguration.Webhooks

    private struct View: Encodable {
        let id: String
        let url: String
        let filter: EventFilter
        let state: Webhook.State
        let position: Int64
        let behind: Int
        let delivered: Int
        let failures: Int
        let failingSince: Date?
        let nextAt: Date?
        let lastError: String?
        let createdAt: Date

        init(_ webhook: Webhook, behind: Int) {
            (id, url, filter, createdAt) = (webhook.id, webhook.url, webhook.filter, webhook.createdAt)
            (position, self.behind, delivered) = (webhook.position, behind, webhook.delivered)
            (failures, failingSince, nextAt) = (webhook.failures, webhook.failingSince, webhook.nextAt)
            (lastError, state) = (webhook.lastError, webhook.state)
        }
    }

    private struct List: Encodable {
        let items: [View]
    }

    func add(to router: Router<ServerContext>) {
        router.get("/v1/webhooks") { _, _ in
            var items: [View] = []
            for webhook in try await gallery.ledger.webhooks() { items.append(try await view(webhook)) }
            return try Answer.json(List(items: items))
        }
        router.post("/v1/webhooks") { request, _ in try await create(request) }
        router.get("/v1/webhooks/{webhook}") { _, context in
            try Answer.json(await view(gallery.ledger.webhook(context.parameter("webhook"))))
        }
        router.delete("/v1/webhooks/{webhook}") { _, context in
            try await gallery.ledger.deleteWebhook(context.parameter("webhook"))
            return Answer.nothing
        }
        router.post("/v1/webhooks/{webhook}/revive") { _, context in
            var webhook = try await gallery.ledger.webhook(context.parameter("webhook"))
            webhook.revive()
            try await gallery.ledger.save(webhook)
            return try Answer.json(await view(webhook))
        }
    }

    private func view(_ webhook: Webhook) async throws -> View {
        View(webhook, behind: try await gallery.ledger.eventCount(after: webhook.position))
    }

    private func create(_ request: Request) async throws -> Response {
        guard configuration.secretFile != nil else { throw RequestError.webhooksOff }
        var fields = try await bodies.fields(request)
        let url = try validated(fields.require("url", .string))
        var filter = EventFilter()
        if var wanted = try fields.object("filter") {
            filter.galleries = try wanted.strings("galleries")
            filter.cameras = try wanted.strings("cameras")
            filter.identities = try wanted.strings("identities")
            filter.kinds = try wanted.read("kinds", .list(of: "kinds of events", .choice))
            try wanted.finish()
        }
        let after = try fields.integer("after", 0...(1 << 53)).map(Int64.init)
        try fields.finish()
        let webhook = try Webhook(url: url, filter: filter, after: after ?? gallery.lastEvent)
        try await gallery.ledger.create(webhook)
        return try Answer.json(
            await view(webhook), status: .created, headers: [.location: "/v1/webhooks/\(webhook.id)"])
    }

    /// What it resolves to is looked at when it is called.
    private func validated(_ text: String) throws -> String {
        let schemes = configuration.allowsHTTP ? ["https", "http"] : ["https"]
        guard text.utf8.count <= 2048, let url = URLComponents(string: text), schemes.contains(url.scheme ?? ""),
            url.host?.isEmpty == false, url.user == nil, url.password == nil, url.fragment == nil
        else {
            throw RequestError.invalid(
                field: "url", expected: "an \(schemes.joined(separator: " or ")) URL with a host, without a user",
                found: "\"\(text.bounded())\"")
        }
        return text
    }
}
