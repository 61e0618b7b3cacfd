import Foundation
import Gallery
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// GET `/v1/events`: what happens, as server-sent events (WHATWG HTML, section 9.2).
struct EventEndpoint {
    let gallery: GalleryStore
    let authenticator: Authenticator
    let metrics: ServerMetrics

    /// How often it is looked for new ones, which costs nothing as long as there are none.
    private static let pause = Duration.milliseconds(100)
    /// After so many pauses without an event a comment says that the stream lives.
    private static let silence = 100

    func add(to router: Router<ServerContext>) {
        router.get("/v1/events") { request, context in try follow(request, context.principal ?? .anyone) }
    }

    /// Begins after the event that the client has seen last, or with the next. It ends with the server, and when the client's key or
    /// token does.
    private func follow(_ request: Request, _ principal: Principal) throws -> Response {
        let filter = try Self.filter(request, principal)
        let start = try Self.start(request) ?? gallery.lastEvent
        let body = ResponseBody { writer in
            metrics.following(1)
            defer { metrics.following(-1) }
            var (last, silent) = (start, 0)
            // How long a client should wait before it comes again, and from where if nothing happens before that.
            try await writer.write(ByteBuffer(string: "retry: 2000\nid: \(start)\n\n"))
            // A place that was never reached is one of another database.
            var isAhead = last > gallery.lastEvent
            while !Task.isShuttingDownGracefully && authenticator.isValid(principal) {
                if isAhead || last < gallery.lastEvent {
                    let batch = try await gallery.events(after: last, filter)
                    if batch.hasGap {
                        try await writer.write(ByteBuffer(string: "event: missed\ndata: {\"after\":\(last)}\n\n"))
                    }
                    for event in batch.events { try await writer.write(Self.text(event)) }
                    metrics.streamed(batch.events.count)
                    (last, isAhead) = (batch.last, false)
                    if !batch.events.isEmpty { silent = 0 }
                    if last < gallery.lastEvent { continue }
                }
                if silent == Self.silence { try await writer.write(Self.comment(last)) }
                silent = silent == Self.silence ? 0 : silent + 1
                try await Task.sleep(for: Self.pause)
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    /// An identifier without data moves the client's place on, past events that are not for it.
    private static func comment(_ last: Int64) -> ByteBuffer { ByteBuffer(string: ":\nid: \(last)\n\n") }

    private static func text(_ event: GalleryEvent) throws -> ByteBuffer {
        var buffer = ByteBuffer(string: "id: \(event.id)\nevent: \(event.kind.rawValue)\ndata: ")
        buffer.writeBytes(try Answer.encoder().encode(event))
        buffer.writeString("\n\n")
        return buffer
    }

    private static func start(_ request: Request) throws -> Int64? {
        let given = request.headers[.lastEventID] ?? request.uri.queryParameters["after"].map(String.init)
        guard let given else { return nil }
        guard let id = Int64(given), id >= 0 else {
            throw RequestError.invalid(
                field: "Last-Event-ID", expected: "an event's id", found: "\"\(given.bounded())\"")
        }
        return id
    }

    private static func filter(_ request: Request, _ principal: Principal) throws -> EventFilter {
        let values = { (name: String) -> [String]? in
            let found = request.uri.queryParameters[values: name[...]].map(String.init)
            return found.isEmpty ? nil : found
        }
        var filter = EventFilter()
        filter.galleries = try principal.narrowed(values("gallery"))
        (filter.cameras, filter.identities) = (values("camera"), values("identity"))
        filter.kinds = try values("kind")?.map { name in
            guard let kind = GalleryEvent.Kind(rawValue: name) else {
                let kinds = GalleryEvent.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw RequestError.invalid(field: "kind", expected: "one of \(kinds)", found: "\"\(name.bounded())\"")
            }
            return kind
        }
        try filter.validate()
        return filter
    }
}

extension Principal {
    /// The galleries that someone has asked for, or else those that they may see. Throws `AccessError.gallery`.
    func narrowed(_ asked: [String]?) throws(AccessError) -> [String]? {
        guard let asked else { return galleries }
        if let foreign = asked.first(where: { !sees($0) }) { throw .gallery(foreign, allowed: galleries ?? []) }
        return asked
    }
}

extension HTTPField.Name {
    /// Where a client that comes again has been. The literal is a valid field name.
    static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .from
}
