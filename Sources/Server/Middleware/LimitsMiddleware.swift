import Hummingbird

/// Admits requests under `/v1` while there is room.
struct LimitsMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let gate: AdmissionGate
    let limits: ServerConfiguration.Limits

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        // Health checks and metrics must be answered above all when there is no room.
        guard request.uri.path.hasPrefix("/v1/") else { return try await next(request, context) }
        // A chunked body may become as long as any.
        let chunked = request.headers[.transferEncoding] == nil ? 0 : limits.bodyBytes
        let declared = request.headers[.contentLength].flatMap(Int.init) ?? chunked
        // A checkpoint goes to a file, a part at a time.
        if limits.isUpload(path: request.uri.path) {
            return try await gate.admit(bytes: 0) { try await next(request, context) }
        }
        return try await gate.admit(bytes: declared) { try await next(request, context) }
    }
}
