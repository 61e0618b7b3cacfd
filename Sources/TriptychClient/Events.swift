import Foundation

/// Something that has happened.
public struct Event: Codable, Sendable, Equatable {
    /// Its place among all. Keep that of what you are done with: the next process goes on after it.
    public let id: Int
    /// `enrolled`, `matched`, `new`, `watchlist`, `erased` or `model`.
    public let kind: String
    /// When.
    public let at: Date
    /// Where; nil for what concerns the whole server.
    public let gallery: String?
    /// Whose the sighting is by now.
    public let identity: String?
    /// The identity's.
    public let label: String?
    /// The sighting, of a passage its first.
    public let sighting: String?
    /// Who has seen it.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// The cosine by which it was recognised.
    public let score: Double?
    /// What else there is to say.
    public let detail: JSONValue?
}

/// What a follower is told.
public enum Happening: Sendable, Equatable {
    /// Something has happened.
    case event(Event)
    /// Stands for events that cannot be told any more, which came after that place: list anew what is there. nil: the connection
    /// broke before the server had said where in its events it was.
    case missed(after: Int?)
}

/// Which events are wanted; what is nil admits all, what is given at least one value.
public struct EventFilter: Codable, Sendable, Equatable {
    /// Of these galleries.
    public var galleries: [String]?
    /// Of these cameras.
    public var cameras: [String]?
    /// Of these identities.
    public var identities: [String]?
    /// Of these kinds.
    public var kinds: [String]?

    /// All, but for what is given.
    public init(
        galleries: [String]? = nil, cameras: [String]? = nil, identities: [String]? = nil, kinds: [String]? = nil
    ) {
        (self.galleries, self.cameras, self.identities, self.kinds) = (galleries, cameras, identities, kinds)
    }

    fileprivate var query: [(name: String, value: String?)] {
        [("gallery", galleries), ("camera", cameras), ("identity", identities), ("kind", kinds)].flatMap {
            name, values in
            (values ?? []).map { (name, $0) }
        }
    }
}

extension Client {
    /// What happens from now on, or what happened after the event with that id (0: all that are kept).
    ///
    /// It waits for the next one without an end, and comes again by itself, from where it was, when the connection breaks or
    /// the server restarts. It throws what is refused, also once the key is revoked, and what goes wrong with the first
    /// connection.
    public func events(_ filter: EventFilter = EventFilter(), after: Int? = nil) -> EventStream {
        EventStream(transport: transport, filter: filter, after: after)
    }
}

/// What happens, which `Client.events(_:after:)` gives.
public struct EventStream: AsyncSequence, Sendable {
    fileprivate let transport: Transport
    fileprivate let filter: EventFilter
    fileprivate let after: Int?

    /// The server says something every ten seconds; after three times that nobody is there any more.
    fileprivate static let silence = Duration.seconds(30)

    /// Begins at its place.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

    /// Throws `Problem` and `ClientError` as `Client.events(_:after:)` says, and `CancellationError`.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let events: EventStream
        private var place: Int?
        private var stream: ServerSentEvents?
        private var wasOpen = false
        /// Between two connections, until the server says how long.
        private var pause = Duration.seconds(2)
        private var waiting: Happening?

        fileprivate init(_ events: EventStream) { (self.events, place) = (events, events.after) }

        /// What has happened next. The place is moved before it is told: who asks for the next one has had it.
        public mutating func next() async throws -> Happening? {
            while true {
                if let told = waiting {
                    waiting = nil
                    return told
                }
                var asked = Duration.zero
                do {
                    if stream == nil { try await open() }
                    if let told = try await told() { return told }
                    if waiting != nil { continue }
                } catch {
                    guard wasOpen, let wait = Self.wait(after: error) else { throw error }
                    asked = wait
                }
                stream = nil
                // Not all that were cut off come again at once.
                try await Task.sleep(for: Swift.max(pause, asked) * .random(in: 1...1.25))
            }
        }

        private mutating func open() async throws {
            var request = Request.get(path("events"), events.filter.query + [("after", place.map { "\($0)" })])
            (request.accept, request.timeout) = ("text/event-stream", EventStream.silence)
            stream = ServerSentEvents(try await events.transport.open(request))
            if wasOpen && place == nil { waiting = .missed(after: nil) }
            wasOpen = true
        }

        /// nil at the stream's end, and where something else is told first.
        private mutating func told() async throws -> Happening? {
            if waiting != nil { return nil }
            while let event = try await stream?.next() {
                place = event.id ?? place
                pause = event.retry ?? pause
                guard !event.data.isEmpty else { continue }
                if event.name == "missed" { return .missed(after: try Self.missed(event.data)) }
                return .event(try Wire.decode(from: event.data))
            }
            return nil
        }

        private struct Missed: Decodable {
            let after: Int?
        }

        private static func missed(_ data: Data) throws -> Int? { try Wire.decode(Missed.self, from: data).after }

        /// At least how long to wait before coming again; nil where that would not help.
        private static func wait(after error: any Error) -> Duration? {
            switch error {
            case let problem as Problem where problem.status >= 500 || problem.status == 429:
                .seconds(problem.retryAfter ?? 0)
            case let error as ClientError where error.isOfConnection: .zero
            default: nil
            }
        }
    }
}

// MARK: Webhooks

/// Who is called with what happens, and how that goes.
public struct Webhook: Codable, Sendable, Equatable {
    /// Its identifier.
    public let id: String
    /// What is called.
    public let url: String
    /// With what.
    public let filter: EventFilter
    /// `active`, `failing`, or `dead`, which is called no more until it is revived.
    public let state: String
    /// The last event that it has taken, or that was not for it.
    public let position: Int
    /// Events after that, for it or not.
    public let behind: Int
    /// Events that it has taken.
    public let delivered: Int
    /// Calls in a row that have failed.
    public let failures: Int
    /// When it was made.
    public let createdAt: Date
    /// Since when they have failed.
    public let failingSince: Date?
    /// When it is called again.
    public let nextAt: Date?
    /// Why the last call failed.
    public let lastError: String?
}

private struct NewWebhook: Encodable {
    let url: String
    let filter: EventFilter
    let after: Int?
}

extension Client {
    /// Who is called with what happens.
    public func webhooks() async throws -> [Webhook] {
        let found: Items<Webhook> = try await transport.ask(.get(path("webhooks")))
        return found.items
    }

    /// A webhook, how far it is, and what fails.
    public func webhook(_ id: String) async throws -> Webhook { try await transport.ask(.get(path("webhooks", id))) }

    /// Has an https URL called with the events that are wanted, from the next on or those after one. The code of the `Problem` is
    /// `webhooks-off` if the server has no secret to sign calls with.
    public func createWebhook(
        _ url: String, _ filter: EventFilter = EventFilter(), after: Int? = nil
    ) async throws -> Webhook {
        try await transport.ask(.post(path("webhooks"), NewWebhook(url: url, filter: filter, after: after)))
    }

    /// Calls it again now, from where it was.
    public func reviveWebhook(_ id: String) async throws -> Webhook {
        try await transport.ask(.post(path("webhooks", id, "revive"), isRepeatable: true))
    }

    /// Has it called no more.
    public func deleteWebhook(_ id: String) async throws { try await transport.erase(path("webhooks", id)) }
}
