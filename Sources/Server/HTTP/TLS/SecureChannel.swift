import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import NIOTLS

/// TLS around HTTP. A connection counts from its first byte, not only once its handshake is complete.
struct SecureChannel: ServerChildChannel {
    /// What both sides have agreed on.
    enum Negotiated: Sendable {
        case http1(GuardedChannel.Value)
        case http2(StreamsChannel.Value)
    }

    struct Value: ServerChildChannelValue {
        let negotiated: EventLoopFuture<Negotiated>
        let channel: any Channel
    }

    let certificate: ServerCertificate
    let http1: GuardedChannel
    let http2: StreamsChannel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let connection = http1.connection(channel)
        return channel.eventLoop.makeCompletedFuture {
            let negotiation = NIOTypedApplicationProtocolNegotiationHandler<Negotiated> { [http1, http2] result in
                // Nothing else is offered; whoever asks for nothing gets HTTP/1.1.
                result == .negotiated("h2")
                    ? http2.setup(channel, connection).map { .http2($0) }
                    : http1.setup(channel, connection, logger).map { .http1($0) }
            }
            try channel.pipeline.syncOperations.addHandlers([
                AnswerPace(http1.limits), NIOSSLServerHandler(context: certificate.current),
                TLSGuard(connection, handshakeSeconds: http1.limits.handshakeSeconds), negotiation,
            ])
            return Value(negotiated: negotiation.protocolNegotiationResult, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        // It fails for a connection whose handshake did not succeed: that is closed, and nobody's fault here.
        switch try? await value.negotiated.get() {
        case .http1(let value): await http1.handle(value: value, logger: logger)
        case .http2(let value): await http2.handle(value, logger)
        case nil: break
        }
    }
}
