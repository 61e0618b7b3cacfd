import Foundation
import Threads

/// Calls webhooks, on threads of its own.
struct WebhookClient: Sendable {
    private let outgoing: OutgoingCall
    private let threads: WorkerThreads

    init(_ configuration: ServerConfiguration.Webhooks) {
        outgoing = OutgoingCall(
            allowsPrivate: configuration.allowsPrivate, allowsHTTP: configuration.allowsHTTP,
            caFile: configuration.caFile, seconds: 10)
        OutgoingCall.start()
        threads = WorkerThreads("webhooks", count: 4)
    }

    /// Posts a body. Throws `OutgoingCall.Failure` for whatever is not answered with 200 to 299: redirects too are none of ours
    /// to follow.
    func post(_ body: Data, to url: String, headers: [String]) async throws {
        try await threads.run { [outgoing] in try outgoing.post(body, to: url, headers: headers) }
    }
}
