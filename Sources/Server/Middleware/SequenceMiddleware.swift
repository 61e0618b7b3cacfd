import Gallery
import HTTPTypes
import Hummingbird

/// Says with each answer up to which transaction this server's index goes, and has requests wait that insist on one: so a client
/// finds at any server what it has enrolled at another.
struct SequenceMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    let gallery: GalleryStore
    /// For how long they wait; nil where no other server can have written anything, as after a backup was restored.
    let patience: Duration?

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        guard try context.target.get().kind(request.method) != .service else { return try await next(request, context) }
        if let text = request.headers[.sequence] {
            guard let sequence = Int64(text), sequence >= 0 else {
                throw RequestError.brokenSequence(found: text)
            }
            if let patience { try await gallery.waitForSequence(sequence, until: .now + patience) }
        }
        var response = try await next(request, context)
        // Asked for after the work, it is at least that of what was written.
        response.headers[.sequence] = "\(gallery.sequence)"
        return response
    }
}

extension HTTPField.Name {
    static let sequence = HTTPField.Name("X-Triptych-Sequence") ?? .from
}
