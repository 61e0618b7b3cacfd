import Hummingbird

/// Turns errors into problem documents; those that nobody foresaw are logged and told as 500, without their contents.
struct ProblemMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let routes: RouteTable
    let metrics: ServerMetrics

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            // Only the router throws this: endpoints have errors of their own.
            return noRoute(request, context)
        } catch {
            // Whatever came of it being cancelled.
            return answer(context.connection.hasLeft ? RequestError.clientLeft : error, context)
        }
    }

    private func noRoute(_ request: Request, _ context: ServerContext) -> Response {
        let methods = (try? context.target.get()).map(routes.methods) ?? []
        guard !methods.isEmpty else { return answer(RequestError.noSuchPath(request.uri.path), context) }
        let allowed = methods.joined(separator: ", ")
        return answer(
            .init(
                type: .methodNotAllowed, detail: "expected one of \(allowed), found \(request.method)",
                headers: [.allow: allowed]), context)
    }

    private func answer(_ error: any Error, _ context: ServerContext) -> Response {
        if let entry = ProblemTable.entry(error) {
            // What only the operator can mend must not be known to clients alone.
            if entry.status.code == 507 {
                context.logger.error(
                    "no room",
                    metadata: ["error": "\(entry.detail.bounded(800))", "request_id": "\(context.requestID)"])
            }
            return answer(entry, context)
        }
        context.logger.error(
            "unexpected error",
            metadata: ["error": "\("\(error)".bounded(2000))", "request_id": "\(context.requestID)"])
        return answer(
            .init(
                type: .internalFailure,
                detail: "the server failed; its log has the reason under this request's identifier"), context)
    }

    private func answer(_ entry: ProblemTable.Entry, _ context: ServerContext) -> Response {
        metrics.problem(entry.type.rawValue)
        var headers = entry.headers
        if entry.closes { headers[.connection] = "close" }
        return Problem(entry, instance: context.requestID).response(headers: headers)
    }
}
