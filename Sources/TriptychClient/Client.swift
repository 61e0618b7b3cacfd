import Foundation

/// A Triptych server. Any number of tasks may use one client; it keeps connections and is cheap to keep.
///
///     let client = try Client(URL(string: "http://127.0.0.1:8080")!, key: key)
///     let triple = try Triple(files: [.rgb: rgb, .tir: tir])
///     let match = try await client.gallery("parking").query(.triple(triple)).matches.first
///
/// Calls throw `Problem` for what the server refuses, `ClientError` for what else goes wrong, and `CancellationError` once their
/// task is cancelled, which ends the transfer.
public struct Client: Sendable {
    let transport: Transport

    /// A client of a server; nothing is sent.
    ///
    /// - Parameters:
    ///   - server: `http://HOST:PORT` or `https://HOST:PORT`, possibly with a path before the API's own.
    ///   - key: the API key. It is sent to this server alone, never in an address, and no message shows it.
    ///   - timeout: for how long the server may say nothing.
    ///   - retries: how often what may be carried out twice is sent again.
    ///   - isConsistent: whether whichever of several servers of one gallery answers must have seen what this client was answered
    ///     before, its own enrolments among it; one that is not that far soon answers 503.
    /// - Throws: `ClientError.invalidArgument`.
    public init(
        _ server: URL, key: String? = nil, timeout: Duration = .seconds(130), retries: RetryPolicy = RetryPolicy(),
        isConsistent: Bool = false
    ) throws {
        transport = try Transport(
            server: server, key: key, timeout: timeout, retries: retries, isConsistent: isConsistent)
    }

    /// What the server has said last of how much the key may send; nil if nothing bounds it.
    public var rateLimit: RateLimit? { transport.rateLimit }

    /// A gallery to work with. Nothing is sent, so it need not be there yet.
    public func gallery(_ name: String) -> GalleryClient { GalleryClient(transport: transport, name: name) }
}

/// One gallery of a server's, which `Client.gallery(_:)` names; asking for it sends nothing.
public struct GalleryClient: Sendable {
    let transport: Transport
    /// The gallery's name.
    public let name: String

    /// The path of something in the gallery.
    func path(_ names: String...) -> String {
        names.reduce("/v1/galleries/\(name.percentEncoded)") { "\($0)/\($1.percentEncoded)" }
    }
}

// MARK: The service

/// The active model and how much the server has; a server with keys tells `status` alone to who has none.
public struct Readiness: Codable, Sendable, Equatable {
    /// `ready`.
    public let status: String
    /// The active model's digest.
    public let model: String?
    /// What it was built for.
    public let modalities: [String]?
    /// Elements of its vectors.
    public let dimension: Int?
    /// In all galleries.
    public let sightings: Int?
}

/// The servers that share a database, none where there can be only one.
public struct Servers: Codable, Sendable, Equatable {
    /// A server as it was when it was last seen, by the database's clock.
    public struct Member: Codable, Sendable, Equatable {
        /// As long as it runs.
        public let id: String
        /// From its configuration.
        public let name: String
        /// When it began.
        public let startedAt: Date
        /// When it was last seen.
        public let lastSeen: Date
        /// How far its index was by then.
        public let sequence: Int64
        /// Whether it did what one does for all.
        public let leader: Bool
        /// Whether that was just now.
        public let live: Bool
    }

    /// The last change that the index holds of the server that answers.
    public let sequence: Int64
    /// The last one that it knows of.
    public let newest: Int64
    /// Whether it does what one does for all.
    public let leader: Bool
    /// In order of their beginning.
    public let items: [Member]
}

extension Client {
    /// The servers that share the database, and how far the index is of the one that answers.
    public func servers() async throws -> Servers { try await transport.ask(.get(path("servers"))) }

    /// Returns if the process answers.
    public func health() async throws { try await transport.send(.get("/healthz")) }

    /// What the server is ready with. A `Problem` of 503, after retries, while it has no model.
    public func ready() async throws -> Readiness { try await transport.ask(.get("/readyz")) }

    /// Counters, gauges and histograms in Prometheus's text format.
    public func metrics() async throws -> String { try await text("/metrics") }

    /// The OpenAPI document that the server was built with, in YAML.
    public func contract() async throws -> String { try await text("/openapi.yaml") }

    private func text(_ path: String) async throws -> String {
        var request = Request.get(path)
        request.accept = "*/*"
        return String(decoding: try await transport.send(request), as: UTF8.self)
    }
}
