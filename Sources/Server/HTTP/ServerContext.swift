import Hummingbird

/// What belongs to one request.
struct ServerContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The client's, if it sent a sane one, or a fresh one; in every answer and every log line.
    var requestID = ""

    init(source: ApplicationRequestContextSource) { coreContext = CoreRequestContextStorage(source: source) }

    /// A parameter of the path, percent-decoded by the router.
    func parameter(_ name: String) -> String { parameters.get(name) ?? "" }
}
