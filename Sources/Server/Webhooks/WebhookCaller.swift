import Foundation
import Gallery
import Logging
import ServiceLifecycle
import Synchronization

/// Calls webhooks with what happens, each with one event after the other, in order, until the server ends. Of servers that share a
/// gallery the leader does.
final class WebhookCaller: ServiceLifecycle.Service {
    /// What a call says (Standard Webhooks 1.0).
    private struct Call: Encodable {
        let type: String
        let timestamp: Date
        let data: GalleryEvent?
    }

    private let gallery: GalleryStore
    private let client: WebhookClient
    private let signer: WebhookSigner
    private let giveUpAfter: TimeInterval
    private let logger: Logger
    /// Those that are being called.
    private let busy = Mutex<Set<String>>([])

    init(
        _ gallery: GalleryStore, _ configuration: ServerConfiguration.Webhooks, _ signer: WebhookSigner,
        _ logger: Logger
    ) {
        (self.gallery, self.signer, self.logger) = (gallery, signer, logger)
        client = WebhookClient(configuration)
        giveUpAfter = 3600 * Double(configuration.giveUpHours)
    }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                while true {
                    for webhook in try await self.due() {
                        group.addTask {
                            await self.call(webhook)
                            self.busy.withLock { _ = $0.remove(webhook.id) }
                        }
                    }
                    try await Task.sleep(for: .milliseconds(200))
                }
            }
        }
    }

    /// Those for which there may be something, marked as busy.
    private func due() async throws -> [Webhook] {
        guard gallery.isLeader else { return [] }
        let (now, last) = (Date(), gallery.lastEvent)
        do {
            return try await gallery.ledger.webhooks().filter { webhook in
                webhook.isDue(at: now) && webhook.position != last
                    && busy.withLock { $0.insert(webhook.id).inserted }
            }
        } catch let error as GalleryError {
            logger.error("webhooks were not read", metadata: ["error": "\(error)"])
            return []
        }
    }

    /// Until it has everything, or fails.
    private func call(_ given: Webhook) async {
        var webhook = given
        do {
            while webhook.position != gallery.lastEvent, !Task.isCancelled {
                let batch = try await gallery.events(after: webhook.position, webhook.filter)
                if batch.hasGap { try await call(webhook, nil, place: webhook.position) }
                for event in batch.events {
                    try Task.checkCancellation()
                    // Its successor begins with what was written down last.
                    guard gallery.isLeader else { return }
                    try await call(webhook, event, place: event.id)
                    webhook.advance(to: event.id, delivering: 1)
                    try await gallery.ledger.save(webhook)
                }
                webhook.advance(to: batch.last, delivering: 0)
                try await gallery.ledger.save(webhook)
            }
        } catch let error as OutgoingCall.Failure {
            await fail(&webhook, error)
        } catch is CancellationError {
            // The server's end; it goes on at the next start.
        } catch {
            logger.error("a webhook was not called", metadata: ["webhook": "\(webhook.id)", "error": "\(error)"])
        }
    }

    private func fail(_ webhook: inout Webhook, _ error: OutgoingCall.Failure) async {
        webhook.fail(error.description, at: Date(), givingUpAfter: giveUpAfter)
        logger.warning(
            webhook.isDead ? "a webhook was given up" : "a webhook's call has failed",
            metadata: ["webhook": "\(webhook.id)", "failures": "\(webhook.failures)", "error": "\(error)"])
        try? await gallery.ledger.save(webhook)
    }

    /// The identifier stays the same when a call is repeated, so that its receiver can tell.
    private func call(_ webhook: Webhook, _ event: GalleryEvent?, place: Int64) async throws {
        let now = Date()
        let body = try Answer.encoder().encode(
            Call(type: event?.kind.rawValue ?? "missed", timestamp: event?.at ?? now, data: event))
        let id = "\(webhook.id)-\(event == nil ? "missed-" : "")\(place)"
        try await client.post(body, to: webhook.url, headers: signer.headers(id: id, at: now, body: body))
    }
}
