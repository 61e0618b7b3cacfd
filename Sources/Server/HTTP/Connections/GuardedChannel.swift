import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Hummingbird's HTTP/1.1 with what guards a connection around it.
struct GuardedChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let parts: HTTP1Channel.Value
        let connection: Connection
        var channel: any Channel { parts.channel }
    }

    let http: HTTP1Channel
    let pool: ConnectionPool
    let limits: ServerConfiguration.Limits
    /// Whether it is within TLS.
    let isSecure: Bool

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let connection = connection(channel)
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(AnswerPace(limits))
        }.flatMap { setup(channel, connection, logger) }
    }

    /// Takes in a channel that was accepted.
    func connection(_ channel: any Channel) -> Connection { pool.add(channel) }

    /// As above, for a connection that is taken in and has its `AnswerPace`.
    func setup(_ channel: any Channel, _ connection: Connection, _ logger: Logger) -> EventLoopFuture<Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { [limits, isSecure] parts in
            let pipeline = channel.pipeline.syncOperations
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            // One request at a time: whatever a handler answers comes after the answers before it.
            try pipeline.addHandlers([HTTPServerPipelineHandler(), HeadCheck()], position: .before(codec))
            try pipeline.addHandlers(
                [ConnectionGuard(connection, limits, isSecure ? .tls : .plain), BodyPace(limits)],
                position: .after(codec))
            return Value(parts: parts, connection: connection)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await Connection.$current.withValue(value.connection) { await http.handle(value: value.parts, logger: logger) }
    }
}
