import Foundation
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Looks at a request's head before anyone reads its body: refuses what is declared too long at once instead of after
/// receiving it, answers `Expect: 100-continue`, and refuses requests without a host (RFC 9112, section 3.2). Tells the
/// connection what comes and goes, and closes it after its last answer.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private struct Refusal {
        let status: HTTPResponse.Status
        let type: String
        let detail: String
    }

    private let connection: Connection
    private let limits: ServerConfiguration.Limits
    /// After a refusal the connection only waits to be closed.
    private var hasRefused = false
    /// Whether the answer that is being written is the last.
    private var isClosing = false

    init(_ connection: Connection, _ limits: ServerConfiguration.Limits) {
        (self.connection, self.limits) = (connection, limits)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasRefused else { return }
        switch unwrapInboundIn(data) {
        case .head(let head): begin(context, head)
        case .body: context.fireChannelRead(data)
        case .end:
            connection.requestEnded()
            context.fireChannelRead(data)
        }
    }

    private func begin(_ context: ChannelHandlerContext, _ head: HTTPRequest) {
        connection.requestBegan()
        var head = head
        // What cannot be read is answered like any request, if it is not too long.
        let target = head.path.flatMap { try? RequestTarget($0) }
        if let refusal = refusal(of: head, for: target) { return refuse(context, refusal, head.method) }
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

    private func refusal(of head: HTTPRequest, for target: RequestTarget?) -> Refusal? {
        if head.authority?.isEmpty ?? true {
            return Refusal(status: .badRequest, type: "missing-host", detail: "expected a Host header, found none")
        }
        let most = limits.bodyBytes(target?.kind(head.method) ?? .request)
        // The parser has seen that it is a number; one that is too large for an integer is too large for a body.
        if let text = head.headerFields[.contentLength], Int(text).map({ $0 > most }) ?? true {
            return Refusal(
                status: .contentTooLarge, type: "body-too-large",
                detail: "the body of \(text.bounded()) bytes exceeds the limit of \(most) bytes")
        }
        if let encoding = head.headerFields[.transferEncoding], encoding.lowercased() != "chunked" {
            return Refusal(
                status: .notImplemented, type: "transfer-encoding",
                detail: "transfer encoding: expected chunked, found \(encoding.bounded())")
        }
        return nil
    }

    private func refuse(_ context: ChannelHandlerContext, _ refusal: Refusal, _ method: HTTPRequest.Method) {
        hasRefused = true
        let identifier = UUID().uuidString
        let body = Problem(
            type: ProblemMiddleware.type(refusal.type), title: refusal.status.reasonPhrase, status: refusal.status.code,
            detail: refusal.detail, instance: identifier
        ).json
        var fields: HTTPFields = [
            .contentType: "application/problem+json", .contentLength: "\(body.count)", .connection: "close",
        ]
        fields[.requestID] = identifier
        write(context, .head(HTTPResponse(status: refusal.status, headerFields: fields)))
        if method != .head { write(context, .body(ByteBuffer(data: body))) }
        write(context, .end(nil))
        context.flush()
    }

    private func write(_ context: ChannelHandlerContext, _ part: HTTPResponsePart) {
        write(context: context, data: wrapOutboundOut(part), promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): isClosing = isClosing || head.headerFields[.connection] == "close"
        case .body: break
        case .end: return end(context, data, promise)
        }
        context.write(data, promise: promise)
    }

    private func end(_ context: ChannelHandlerContext, _ data: NIOAny, _ promise: EventLoopPromise<Void>?) {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        // What the channel still buffers gladly holds no place: a client that has its answer finds room for the next.
        let isWritten = context.channel.isWritable ? nil : connection.answerWaits()
        if isWritten == nil { connection.answerEnded() }
        let (isClosing, channel) = (isClosing, context.channel)
        promise.futureResult.whenComplete { _ in
            isWritten?()
            // What the client still sends is read and dropped for a moment, so that it gets to see the answer.
            if isClosing { channel.eventLoop.scheduleTask(in: .milliseconds(500)) { channel.close(promise: nil) } }
        }
        context.write(data, promise: promise)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // In the middle of a body the parser complains instead.
        if case ChannelEvent.inputClosed = event, connection.hasWholeRequest { connection.clientLeft() }
        context.fireUserInboundEventTriggered(event)
    }
}

extension HTTPField.Name {
    /// The request's identifier. The literal is a valid field name.
    static let requestID = HTTPField.Name("X-Request-Id") ?? .from
    /// A client's key for a request that it may repeat.
    static let idempotencyKey = HTTPField.Name("Idempotency-Key") ?? .from
}
