import Foundation
import Hummingbird
import Synchronization

/// What belongs to one request.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's, if it sent a sane one, or a fresh one; in every answer and every log line.
    var requestID = ""
    /// What it asks for, or what is wrong with that.
    var target: Result<RequestTarget, RequestError> = .failure(.noSuchPath(""))
    /// Who asks; nil if that was not asked.
    var principal: Principal?
    /// Who it turned out to be, for those that handled the request before that was asked.
    let asker = Asker()
    /// The connection that it came on.
    let connection: Connection

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        connection = Connection.current ?? Connection(source.channel)
    }

    /// The route's template; `none` for what leads nowhere, where Hummingbird has no path or, once it has answered, a word.
    var route: String { endpointPath.flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "none" }

    /// A parameter of the path, percent-decoded. Throws `RequestError.brokenTarget` if it is not UTF-8 then.
    func parameter(_ name: String) throws(RequestError) -> String {
        let raw = parameters.get(name) ?? ""
        guard let decoded = raw.removingPercentEncoding else {
            throw .brokenTarget("percent-encoded UTF-8", found: raw)
        }
        return decoded
    }
}

/// Whose key a request has, once that is known, and which galleries it reads whose names are in its body.
final class Asker: Sendable {
    private let name = Mutex<String?>(nil)
    private let read = Mutex<[String]>([])

    var galleries: [String] {
        get { read.withLock { $0 } }
        set { read.withLock { $0 = newValue } }
    }

    var key: String? {
        get { name.withLock { $0 } }
        set { name.withLock { $0 = newValue } }
    }
}

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
