import Hummingbird

/// Counts and times requests by method, route and status.
struct MetricsMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let metrics: ServerMetrics

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        metrics.began()
        defer { metrics.ended() }
        let response = try await next(request, context)
        // The route's template, not the path: a label for each identity would never end.
        metrics.answered(
            method: request.method.rawValue, route: context.route, status: response.status.code,
            after: start.duration(to: .now))
        return response
    }
}
