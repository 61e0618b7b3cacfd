import Hummingbird

/// Admits requests under `/v1` while there is room.
struct LimitsMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let gate: AdmissionGate
    let mostBodyBytes: Int

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        // Health checks and metrics must be answered above all when there is no room.
        guard request.uri.path.hasPrefix("/v1/") else { return try await next(request, context) }
        // A chunked body may become as long as any.
        let chunked = request.headers[.transferEncoding] == nil ? 0 : mostBodyBytes
        let declared = request.headers[.contentLength].flatMap(Int.init) ?? chunked
        return try await gate.admit(bytes: declared) { try await next(request, context) }
    }
}
