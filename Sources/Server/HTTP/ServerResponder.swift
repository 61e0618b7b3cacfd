import Hummingbird

/// What is done with every request, whatever it asks for: its target is read, its work is cancelled if its client leaves,
/// and an answer to HEAD has no body.
struct ServerResponder: HTTPResponder {
    let router: RouterResponder<ServerContext>

    func respond(to request: Request, context: ServerContext) async throws -> Response {
        var context = context
        context.target = Result { () throws(RequestError) in try RequestTarget(request.head.path ?? "") }
        let work = Task { [context] in try await router.respond(to: request, context: context) }
        let response = try await withTaskCancellationHandler {
            try await context.connection.answering(cancel: work.cancel) { try await work.value }
        } onCancel: {
            work.cancel()
        }
        return request.method == .head ? response.createHeadResponse() : response
    }
}
