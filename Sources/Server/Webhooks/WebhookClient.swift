import CCurl
import Foundation
import Threads

/// Calls webhooks, on threads of its own.
struct WebhookClient: Sendable {
    /// Why a call has failed.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private static let seconds = 10

    private let configuration: ServerConfiguration.Webhooks
    private let threads: WorkerThreads

    init(_ configuration: ServerConfiguration.Webhooks) {
        self.configuration = configuration
        ccurl_start()
        threads = WorkerThreads("webhooks", count: 4)
    }

    /// Posts a body. Throws `Failure` for whatever is not answered with 200 to 299: redirects too are none of ours to follow.
    func post(_ body: Data, to url: String, headers: [String]) async throws {
        let outcome = try await threads.run { [configuration] in
            Self.post(body, to: url, headers: headers, configuration)
        }
        var error = outcome.error
        let reason = withUnsafeBytes(of: &error) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        guard outcome.status != 0 else { throw Failure(description: reason) }
        guard (200..<300).contains(outcome.status) else {
            throw Failure(description: "answered with \(outcome.status)")
        }
    }

    private static func post(
        _ body: Data, to url: String, headers: [String], _ configuration: ServerConfiguration.Webhooks
    ) -> ccurl_outcome {
        var outcome = ccurl_outcome()
        let ca = configuration.caFile.map { strdup($0) }
        let fields = headers.map { strdup($0) }
        defer { for text in fields + [ca ?? nil] { free(text) } }
        let rules = ccurl_rules(
            allows_private: configuration.allowsPrivate, allows_http: configuration.allowsHTTP,
            ca_file: ca.map { UnsafePointer($0) } ?? nil, timeout_milliseconds: seconds * 1000)
        let list = fields.map { $0.map { UnsafePointer($0) } } + [nil]
        body.withUnsafeBytes { bytes in
            list.withUnsafeBufferPointer { list in
                ccurl_post(url, list.baseAddress, bytes.baseAddress, bytes.count, rules, &outcome)
            }
        }
        return outcome
    }
}
