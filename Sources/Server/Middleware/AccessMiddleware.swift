import Gallery
import HTTPTypes
import Hummingbird
import NIOCore

/// Lets only those do an operation who may, and no oftener than they may.
struct AccessMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let authenticator: Authenticator
    let rates: RateLimiter
    let reads: ReadTally

    /// What clients elsewhere put keys under.
    private static let parameters = ["access_token", "api_key", "apikey", "key", "token"]

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        // What leads nowhere is nobody's secret.
        guard let path = context.endpointPath else { return try await next(request, context) }
        // Each look parses the query.
        let query = request.uri.queryParameters
        if let parameter = Self.parameters.first(where: { query.has($0[...]) }) {
            throw AccessError.keyInAddress(parameter: parameter)
        }
        var context = context
        guard let permission = AccessTable.permission(request.method, path) else {
            context.principal = try? await authenticator.principal(request.headers[.authorization], waits: false)
            return try await next(request, context)
        }
        let principal = try await authenticator.principal(request.headers[.authorization])
        let rate = try rates.count(principal)
        let gallery = permission.scope == .gallery ? try context.parameter("gallery") : nil
        try principal.require(permission, gallery: gallery)
        context.principal = principal
        context.asker.key = principal.id
        if let name = principal.id { context.logger[metadataKey: "key"] = "\(name)" }
        var response = try await Audit.$key.withValue(principal.id) { [context] in
            try await next(request, context)
        }
        if permission.role == .read {
            let named: [String?] = context.asker.galleries
            for gallery in named.isEmpty ? [gallery] : named {
                reads.count(
                    AuditedReads(key: principal.id, operation: "\(request.method) \(path)", gallery: gallery))
            }
        }
        if let rate {
            response.headers[.rateLimitPolicy] = "\"key\";q=\(rate.perMinute);w=60"
            response.headers[.rateLimit] = "\"key\";r=\(rate.remaining);t=\(rate.secondsLeft)"
        }
        return response
    }
}

extension HTTPField.Name {
    // draft-ietf-httpapi-ratelimit-headers; the literals are valid field names.
    static let rateLimitPolicy = HTTPField.Name("RateLimit-Policy") ?? .from
    static let rateLimit = HTTPField.Name("RateLimit") ?? .from
    /// Whose page a browser sends a request for (W3C Fetch Metadata).
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .from
}

/// Refuses what a page of another site has a browser send, with keys or without: a browser reaches what its user can, and a name
/// that resolves anew can make a foreign page one of this server (DNS rebinding).
struct OriginMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    /// Names of this server, besides which addresses are always, and origins whose pages may send requests.
    let live: LiveConfiguration

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let names = live.names
        let authority = (request.head.authority ?? "").lowercased()
        // Only HTTP/1.0 gets here without one, and no browser speaks it.
        if !authority.isEmpty {
            guard let host = Self.host(authority), Self.isAddress(host) || names.hosts.contains(host) else {
                throw AccessError.host("\"\(authority.bounded(100))\"")
            }
        }
        if let origin = request.headers[.origin]?.lowercased() {
            guard names.origins.contains(origin) || Self.authority(of: origin) == authority else {
                throw AccessError.origin("\"\(origin.bounded(100))\"")
            }
        } else if request.headers[.secFetchSite]?.lowercased() == "cross-site" {
            throw AccessError.origin("another site")
        }
        return try await next(request, context)
    }

    /// Of `name:port`, `1.2.3.4`, `[::1]:80`; nil for what is none of them.
    static func host(_ authority: String) -> String? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let rest = authority[authority.index(after: end)...]
            return isPort(rest) ? String(authority[authority.index(after: authority.startIndex)..<end]) : nil
        }
        let name = authority.prefix { $0 != ":" }
        guard !name.isEmpty, isPort(authority[name.endIndex...]) else { return nil }
        // A name may be written with its root.
        return String(name.last == "." ? name.dropLast() : name)
    }

    private static func isPort(_ text: Substring) -> Bool {
        text.isEmpty || text.first == ":" && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    /// Nobody else's name resolves to what needs no resolving.
    private static func isAddress(_ host: String) -> Bool {
        host == "localhost" || (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }

    private static func authority(of origin: String) -> String? {
        origin.range(of: "://").map { String(origin[$0.upperBound...]) }
    }
}
