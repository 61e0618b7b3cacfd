import NIOCore
import NIOHTTP2

/// Ends an HTTP/2 connection: when it has had no stream for `idle_seconds`, whatever else it sends meanwhile; when its client
/// has left or broken the protocol; and when the server ends, after the streams that are open.
final class StreamsGuard: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    private let idle: TimeAmount
    private var open = 0
    private var last = HTTP2StreamID.rootStream
    private var isEnding = false
    private var hasFailed = false
    private var idleCheck: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    init(_ limits: ServerConfiguration.Limits) { idle = .seconds(Int64(limits.idleSeconds)) }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        waitForStream(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        idleCheck?.cancel()
        self.context = nil
    }

    /// A stream has begun.
    func opened(_ stream: any Channel) {
        open += 1
        idleCheck?.cancel()
        if let id = try? stream.syncOptions?.getOption(HTTP2StreamChannelOptions.streamID) { last = max(last, id) }
        let guardian = NIOLoopBound(self, eventLoop: stream.eventLoop)
        stream.closeFuture.whenComplete { _ in guardian.value.closed() }
    }

    private func closed() {
        open -= 1
        guard open == 0, let context else { return }
        if isEnding { context.close(promise: nil) } else { waitForStream(context) }
    }

    private func waitForStream(_ context: ChannelHandlerContext) {
        let guardian = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        idleCheck = context.eventLoop.scheduleTask(in: idle) {
            let (handler, context) = guardian.value
            handler.end(context)
        }
    }

    /// What has begun is answered; of what comes later the client knows that it was not looked at.
    private func end(_ context: ChannelHandlerContext) {
        guard !isEnding else { return }
        sayGoodbye(context, .noError)
        if open == 0 { context.close(promise: nil) }
    }

    private func sayGoodbye(_ context: ChannelHandlerContext, _ reason: HTTP2ErrorCode) {
        isEnding = true
        let goAway = HTTP2Frame(
            streamID: .rootStream, payload: .goAway(lastStreamID: last, errorCode: reason, opaqueData: nil))
        context.writeAndFlush(wrapOutboundOut(goAway), promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent { end(context) }
        if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    /// Whoever breaks the protocol, if only on a stream, loses the connection.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !hasFailed else { return }
        hasFailed = true
        // SwiftNIO has said so before, and more precisely, unless it is about a stream.
        sayGoodbye(context, .protocolError)
        context.close(promise: nil)
    }
}
