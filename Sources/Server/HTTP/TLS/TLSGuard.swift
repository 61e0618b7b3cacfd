import NIOCore
import NIOSSL
import NIOTLS

/// Closes connections whose handshake takes too long or fails, and keeps what is said of TLS from handlers that speak HTTP.
final class TLSGuard: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: Connection
    private let seconds: Int
    /// nil once the handshake is complete.
    private var deadline: Scheduled<Void>?

    init(_ connection: Connection, handshakeSeconds: Int) {
        (self.connection, seconds) = (connection, handshakeSeconds)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        deadline = context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) { [connection] in connection.cut() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted = event {
            deadline?.cancel()
            deadline = nil
        }
        // The server ends, and there is no request that could be waited for.
        if event is ChannelShouldQuiesceEvent, deadline != nil { connection.cut() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        // An end without TLS's own is one like any other: HTTP knows whether a request is whole.
        case NIOSSLError.uncleanShutdown: break
        case is NIOSSLError, is BoringSSLError: connection.cut()
        default: context.fireErrorCaught(error)
        }
    }
}
