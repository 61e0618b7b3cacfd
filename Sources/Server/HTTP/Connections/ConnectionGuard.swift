import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// Looks at a request's head before anyone reads its body: refuses what is declared too long at once instead of after
/// receiving it, what is no HTTP, and what `HeadCheck` refuses; answers `Expect: 100-continue`. Tells the connection what
/// comes and goes, and closes it after its last answer. Every answer gets the fields that browsers heed.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    /// What carries the request.
    enum Carrier {
        case plain
        case tls
        /// One of HTTP/2, and nothing after it.
        case stream
    }

    private let connection: Connection
    private let limits: ServerConfiguration.Limits
    private let carrier: Carrier
    /// What `HeadCheck` says of the head that comes next.
    private var announced: HeadRefusal?
    /// Whether a request's end is still to come.
    private var isReceiving = false
    /// After a refusal the connection only waits to be closed.
    private var hasRefused = false
    /// Whether the answer that is being written is the last.
    private var isClosing = false

    init(_ connection: Connection, _ limits: ServerConfiguration.Limits, _ carrier: Carrier) {
        (self.connection, self.limits, self.carrier) = (connection, limits, carrier)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(context, head)
        case .body(let bytes):
            connection.requestContinued(bytes.readableBytes)
            context.fireChannelRead(data)
        case .end:
            isReceiving = false
            connection.requestEnded()
            context.fireChannelRead(data)
        }
    }

    private func begin(_ context: ChannelHandlerContext, _ head: HTTPRequest) {
        isReceiving = true
        connection.requestBegan()
        var head = head
        if carrier == .stream { announced = head.refusalOfStream(limits) }
        // What cannot be read is answered like any request, if it is not too long.
        let target = head.path.flatMap { try? RequestTarget($0) }
        if let refusal = announced ?? HeadRefusal(head, for: target, limits) {
            return refuse(context, refusal, head.method)
        }
        if let target { head.path = target.canonical }
        let options = head.headerFields[.connection]?.lowercased().split(separator: ",") ?? []
        if options.contains(where: { $0.trimmingCharacters(in: .whitespaces) == "close" }) {
            head.headerFields[.connection] = "close"
            isClosing = true
        }
        if head.headerFields[.expect]?.lowercased() == "100-continue" {
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponse(status: .continue))), promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: HeadRefusal, _ method: HTTPRequest.Method? = nil) {
        hasRefused = true
        let identifier = UUID().uuidString
        connection.refused(method, refusal.type.status, identifier)
        let body = Problem(refusal.type, detail: refusal.detail, instance: identifier).json
        var fields: HTTPFields = [
            .contentType: "application/problem+json", .contentLength: "\(body.count)", .connection: "close",
        ]
        fields[.requestID] = identifier
        write(context, .head(HTTPResponse(status: refusal.type.status, headerFields: fields)))
        if method != .head { write(context, .body(ByteBuffer(data: body))) }
        write(context, .end(nil))
        context.flush()
    }

    private func write(_ context: ChannelHandlerContext, _ part: HTTPResponsePart) {
        write(context: context, data: wrapOutboundOut(part), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): context.write(wrapOutboundOut(.head(completed(head))), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end: end(context, data, promise)
        }
    }

    private func completed(_ head: HTTPResponse) -> HTTPResponse {
        guard head.status.kind != .informational else { return head }
        isClosing = isClosing || head.headerFields[.connection] == "close"
        var head = head
        // HTTP/2 has no such field: a stream is over with its answer.
        if carrier == .stream { head.headerFields[.connection] = nil }
        head.headerFields[.xContentTypeOptions] = "nosniff"
        head.headerFields[.referrerPolicy] = "no-referrer"
        head.headerFields[.crossOriginResourcePolicy] = "same-origin"
        // A browser that was here once does not come without TLS for a year (RFC 6797).
        if carrier != .plain { head.headerFields[.strictTransportSecurity] = "max-age=31536000" }
        return head
    }

    private func end(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        // What the channel still buffers gladly holds no place: a client that has its answer finds room for the next.
        let isWritten = context.channel.isWritable ? nil : connection.answerWaits()
        if isWritten == nil { connection.answerEnded() }
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { _ in
            isWritten?()
            let (handler, context) = loopBound.value
            handler.ended(context)
        }
        context.write(data, promise: promise)
    }

    /// The socket has taken the answer, or never will.
    private func ended(_ context: ChannelHandlerContext) {
        switch carrier {
        case .stream:
            // The rest of the body is not wanted (RFC 9113, section 8.1).
            guard isReceiving else { return }
            context.triggerUserOutboundEvent(NIOHTTP2FramePayloadToHTTPEvent.reset(code: .noError), promise: nil)
        case .plain, .tls:
            // What the client still sends is read and dropped for a moment, so that it gets to see the answer.
            guard isClosing else { return }
            let channel = context.channel
            context.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let refusal = event as? HeadRefusal {
            announced = refusal
            return
        }
        // In the middle of a body the parser complains instead.
        if case ChannelEvent.inputClosed = event, connection.hasWholeRequest { connection.clientLeft() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if carrier == .stream {
            // Whatever it was, the client gets no answer; whoever reads the body is told as on a connection that is closed.
            context.fireErrorCaught(ChannelError.eof)
            return context.close(promise: nil)
        }
        guard let error = error as? HTTPParserError else { return context.fireErrorCaught(error) }
        guard !hasRefused else { return }
        // In the middle of a body whoever reads it answers; after the client's end nobody is there to hear.
        if isReceiving || error == .invalidEOFState { return context.fireErrorCaught(error) }
        refuse(context, HeadRefusal(error, limits))
    }
}

extension HTTPField.Name {
    /// The request's identifier. The literal is a valid field name.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .from
    /// What HTTP/2 clients may send beside the authority.
    static let hostField = HTTPField.Name("Host") ?? .from
    /// What a browser tells other servers of a page (W3C, Referrer Policy).
    static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .from
    /// A client's key for a request that it may repeat.
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .from
}
