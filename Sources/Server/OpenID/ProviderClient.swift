import Documents
import Foundation
import Threads

/// Asks a provider for its keys, on a thread of its own.
struct ProviderClient: Sendable {
    /// Bytes of a discovery document.
    private static let mostBytes = 64 << 10

    private let configuration: ServerConfiguration.OpenID
    private let outgoing: OutgoingCall
    private let threads: WorkerThreads

    init(_ configuration: ServerConfiguration.OpenID) {
        self.configuration = configuration
        outgoing = OutgoingCall(
            allowsPrivate: configuration.allowsPrivate, allowsHTTP: configuration.allowsHTTP,
            caFile: configuration.caFile, seconds: configuration.timeoutSeconds)
        OutgoingCall.start()
        threads = WorkerThreads("openid", count: 1)
    }

    /// Throws `OutgoingCall.Failure` if it does not answer, and `DocumentError` for what is no set of keys.
    func keys() async throws -> ProviderKeySet {
        let url =
            if let url = configuration.keysURL { url } else { try await discovered() }
        return try await ProviderKeySet(get(url, mostBytes: ProviderKeySet.mostBytes))
    }

    /// Where its keys are (OpenID Connect Discovery 1.0, section 4).
    private func discovered() async throws -> String {
        let base = configuration.issuer.hasSuffix("/") ? String(configuration.issuer.dropLast()) : configuration.issuer
        let document = try await get("\(base)/.well-known/openid-configuration", mostBytes: Self.mostBytes)
        var fields = try Fields(
            JSONParser.parse(document, limits: JSONLimits(depth: 16, nodes: 4096)), unknown: .ignored)
        // Else a provider could speak for another (section 4.3).
        let issuer = try fields.require("issuer", .string)
        guard issuer == configuration.issuer else {
            throw fields.invalid("issuer", "\"\(configuration.issuer)\"", .string(issuer))
        }
        return try fields.require("jwks_uri", .string)
    }

    private func get(_ url: String, mostBytes: Int) async throws -> Data {
        try await threads.run { [outgoing] in
            try outgoing.get(
                url, headers: ["Accept: application/json", "User-Agent: triptych"], mostBytes: mostBytes)
        }
    }
}
