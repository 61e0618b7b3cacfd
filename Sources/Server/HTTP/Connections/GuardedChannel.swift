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

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let connection = Connection(channel)
        pool.add(connection)
        return http.setup(channel: channel, logger: logger).flatMapThrowing { [limits] parts in
            let pipeline = channel.pipeline.syncOperations
            let codec = try pipeline.handler(type: HTTP1ToHTTPServerCodec.self)
            // One request at a time: whatever a handler answers comes after the answers before it.
            try pipeline.addHandlers([HTTPServerPipelineHandler(), HeadCheck()], position: .before(codec))
            try pipeline.addHandlers(
                [ConnectionGuard(connection, limits), BodyPace(limits)], position: .after(codec))
            try pipeline.addHandler(AnswerPace(limits), position: .first)
            return Value(parts: parts, connection: connection)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await Connection.$current.withValue(value.connection) { await http.handle(value: value.parts, logger: logger) }
    }
}
