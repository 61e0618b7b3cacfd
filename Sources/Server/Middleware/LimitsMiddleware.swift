import Hummingbird

/// Admits requests under `/v1` while there is room.
struct LimitsMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let gate: AdmissionGate

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        // Health checks and metrics must be answered above all when there is no room.
        guard request.uri.path.hasPrefix("/v1/") else { return try await next(request, context) }
        let declared = request.headers[.contentLength].flatMap(Int.init) ?? 0
        return try await gate.admit(bytes: declared) { try await next(request, context) }
    }
}
