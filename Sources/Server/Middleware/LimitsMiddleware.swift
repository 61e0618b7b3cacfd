import Hummingbird

/// Admits requests while there is room, until their answers have been written, and counts their bodies.
struct LimitsMiddleware: RouterMiddleware {
    typealias Context = ServerContext

    /// What a byte of a JSON body costs in memory while it is read: the bytes themselves, as they came and as the parser
    /// reads them, the strings in the parsed document, and the images that these are decoded to.
    private static let costOfJSON = 2

    private let limits: ServerConfiguration.Limits
    private let requests: AdmissionGate
    private let uploads: AdmissionGate
    private let streams: AdmissionGate

    init(_ live: LiveConfiguration) {
        limits = live.limits
        requests = AdmissionGate {
            let limits = live.limits
            return (limits.requestsInFlight, limits.bytesInFlight)
        }
        uploads = AdmissionGate { (live.limits.uploads, .max) }
        streams = AdmissionGate { (live.limits.eventStreams, .max) }
    }

    /// Bytes of bodies and answers that requests hold.
    var bytesInFlight: Int { requests.bytes }

    func handle(
        _ request: Request, context: ServerContext, next: (Request, ServerContext) async throws -> Response
    ) async throws -> Response {
        let kind = try context.target.get().kind(request.method)
        // Health checks and metrics must be answered above all when there is no room.
        guard kind != .service else { return try await next(request, context) }
        let declared = request.headers[.contentLength].flatMap(Int.init)
        // A checkpoint goes to a file, a part at a time.
        let cost = kind == .request || kind == .batch ? (isJSON(request) ? Self.costOfJSON : 1) : 0
        let place = try gate(kind).admit(context.principal?.id, bytes: (declared ?? 0) * cost)
        context.connection.keep(place)
        var request = request
        request.body = RequestBody(
            asyncSequence: ReceivedBody(
                base: request.body, connection: context.connection, place: place, mostBytes: limits.bodyBytes(kind),
                cost: declared == nil ? cost : 0))
        let response = try await next(request, context)
        // The body is no longer held; the answer is, until it has been written.
        try place.hold(response.body.contentLength ?? 0)
        return response
    }

    private func gate(_ kind: RequestTarget.Kind) -> AdmissionGate {
        switch kind {
        case .upload, .importing: uploads
        case .stream: streams
        case .request, .batch, .service: requests
        }
    }

    private func isJSON(_ request: Request) -> Bool { request.mediaType.hasSuffix("json") }
}
