import Hummingbird

/// Lets pages of the configured origins use the API in browsers (WHATWG Fetch, section 3.2): answers their preflights, and
/// says of other answers that they may be read. To all others nothing is said, so their browsers refuse.
struct CORSMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let live: LiveConfiguration
    let routes: RouteTable

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let origins = live.names.origins
        guard !origins.isEmpty else { return try await next(request, context) }
        let origin = request.headers[.origin].flatMap { origins.contains($0) ? $0 : nil }
        var response: Response
        if origin != nil, let preflight = preflight(request, context) {
            response = preflight
        } else {
            response = try await next(request, context)
        }
        response.headers.vary(by: "Origin")
        guard let origin else { return response }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlExposeHeaders] =
            "Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, X-Triptych-Sequence"
        return response
    }

    /// What a page may do with a path; nil if it is no preflight, or there is no such path.
    private func preflight(_ request: Request, _ context: ServerContext) -> Response? {
        guard request.method == .options, request.headers[.accessControlRequestMethod] != nil,
            let methods = (try? context.target.get()).map(routes.methods), !methods.isEmpty
        else { return nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: methods.joined(separator: ", "),
                .accessControlAllowHeaders:
                    "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id, X-Triptych-Sequence",
                .accessControlMaxAge: "600",
            ])
    }
}

extension HTTPFields {
    /// Says that another request's field may bring another answer (RFC 9110, section 12.5.5).
    mutating func vary(by name: String) {
        self[.vary] = [self[.vary], name].compactMap { $0 }.joined(separator: ", ")
    }
}
