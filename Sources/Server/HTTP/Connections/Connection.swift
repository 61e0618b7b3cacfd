import HTTPTypes
import NIOCore
import Synchronization

/// What a connection's handlers and the request on it tell each other. There is one request at a time:
/// `HTTPServerPipelineHandler` holds back the next until the answer is written, and over HTTP/2 each stream is one of these.
final class Connection: Sendable {
    /// That of the request that the task answers.
    @TaskLocal static var current: Connection?

    private struct State {
        var isOpen = true
        var hasLeft = false
        var hasWholeRequest = false
        var lastActive = ContinuousClock.now
        /// Bytes of the request's body.
        var received = 0
        /// Of the request that is being answered.
        var place: AdmissionGate.Place?
        /// Answers that are being written whose places have not been given back.
        var writing = 0
        var cancel: (@Sendable () -> Void)?
        /// Those that are open.
        var streams: [ObjectIdentifier: Connection] = [:]
    }

    /// Is told of a request that is refused by its head alone: its method if it has one, the status and its identifier.
    typealias Refused = @Sendable (HTTPRequest.Method?, HTTPResponse.Status, String) -> Void

    let channel: any Channel
    let refused: Refused
    private let state = Mutex(State())

    init(_ channel: any Channel, refused: @escaping Refused = { _, _, _ in }) {
        (self.channel, self.refused) = (channel, refused)
    }

    /// Whether the request's end has come.
    var hasWholeRequest: Bool { state.withLock { $0.hasWholeRequest } }
    /// Bytes of the request's body so far.
    var received: Int { state.withLock { $0.received } }
    /// Whether nobody waits for the answer.
    var hasLeft: Bool { state.withLock { $0.hasLeft || !$0.isOpen } }
    /// When it, or one of its streams, last began a request or ended an answer; nil while it has a place in admission.
    var idleSince: ContinuousClock.Instant? {
        let (isBusy, lastActive, streams) = state.withLock {
            ($0.place != nil || $0.writing > 0, $0.lastActive, $0.streams.values)
        }
        guard !isBusy else { return nil }
        return streams.reduce(lastActive as ContinuousClock.Instant?) { latest, stream in
            latest.flatMap { latest in stream.idleSince.map { max($0, latest) } }
        }
    }

    /// A stream of an HTTP/2 connection, until it closes.
    func stream(_ channel: any Channel) -> Connection {
        let stream = Connection(channel, refused: refused)
        let key = ObjectIdentifier(stream)
        state.withLock { $0.streams[key] = stream }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { ($0.streams[key], $0.lastActive) = (nil, .now) }
            stream.closed()
        }
        return stream
    }

    /// A request's head has come.
    func requestBegan() {
        state.withLock { ($0.hasWholeRequest, $0.lastActive, $0.received) = (false, .now, 0) }
    }

    /// So many bytes of its body have come.
    func requestContinued(_ count: Int) { state.withLock { $0.received += count } }

    /// A request's end has come.
    func requestEnded() { state.withLock { $0.hasWholeRequest = true } }

    /// Keeps a request's place until the socket has taken its answer, or the connection closes.
    func keep(_ place: AdmissionGate.Place) {
        let isOpen = state.withLock { state in
            if state.isOpen { state.place = place }
            return state.isOpen
        }
        if !isOpen { place.release() }
    }

    /// The answer is as good as written.
    func answerEnded() {
        let place = state.withLock { state in
            defer { (state.place, state.lastActive) = (nil, .now) }
            return state.place
        }
        place?.release()
    }

    /// The answer is ready, but waits for the socket; what is returned is to be called when that has taken it or never will.
    func answerWaits() -> @Sendable () -> Void {
        let place = state.withLock { state in
            defer { state.place = nil }
            state.writing += 1
            return state.place
        }
        return { [self] in
            place?.release()
            state.withLock { state in
                state.writing -= 1
                state.lastActive = .now
            }
        }
    }

    /// Does a request's work, and calls `cancel` if the client leaves meanwhile.
    func answering<Value>(
        cancel: @escaping @Sendable () -> Void, _ work: () async throws -> Value
    ) async throws -> Value {
        let isOpen = state.withLock { state in
            state.cancel = cancel
            return state.isOpen
        }
        if !isOpen { cancel() }
        defer { state.withLock { $0.cancel = nil } }
        return try await work()
    }

    /// The client has closed its side: whoever does so before the answer has come does not wait for it.
    func clientLeft() {
        let cancel = state.withLock { state in
            state.hasLeft = true
            return state.cancel
        }
        cancel?()
    }

    /// Closes it at once, without what TLS would say and wait for.
    func cut() {
        channel.eventLoop.execute { [channel] in
            // The first handler after the socket; a channel without it is closed already.
            try? channel.pipeline.syncOperations.context(handlerType: AnswerPace.self).close(promise: nil)
        }
    }

    /// The connection is closed.
    func closed() {
        let (cancel, place) = state.withLock { state in
            defer { (state.isOpen, state.place) = (false, nil) }
            return (state.cancel, state.place)
        }
        cancel?()
        place?.release()
    }
}
