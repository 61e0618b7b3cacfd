import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypesHTTP2

/// HTTP/2: each stream guarded as a connection of HTTP/1.1 is, within a connection that is bounded as a whole.
struct StreamsChannel {
    struct Stream: Sendable {
        let parts: HTTP1Channel.Value
        let connection: Connection
    }

    struct Value: Sendable {
        let streams: NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>
    }

    /// Streams of one connection at the same time: each may hold a head, a window of a body and a little of an answer.
    private static let most = 32

    /// For its responder: a stream's parts are those of HTTP/1.1.
    let http: HTTP1Channel
    let limits: ServerConfiguration.Limits

    /// For a connection that is taken in and has its `AnswerPace`.
    func setup(_ channel: any Channel, _ connection: Connection) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let ends = NIOLoopBound(StreamsGuard(limits), eventLoop: channel.eventLoop)
            let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
                mode: .server, streamDelegate: nil, frameDelegate: nil, configuration: configuration
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    ends.value.opened(stream)
                    return try self.stream(stream, of: connection)
                }
            }
            try channel.pipeline.syncOperations.addHandler(ends.value)
            return Value(streams: streams)
        }
    }

    private func stream(_ channel: any Channel, of connection: Connection) throws -> Stream {
        let connection = connection.stream(channel)
        try channel.pipeline.syncOperations.addHandlers([
            HTTP2FramePayloadToHTTPServerCodec(), StreamPace(limits), ConnectionGuard(connection, limits, .stream),
            BodyPace(limits),
        ])
        return Stream(parts: try HTTP1Channel.Value(wrappingChannelSynchronously: channel), connection: connection)
    }

    func handle(_ value: Value, _ logger: Logger) async {
        do {
            try await withThrowingDiscardingTaskGroup { group in
                for try await stream in value.streams.inbound {
                    group.addTask {
                        await Connection.$current.withValue(stream.connection) {
                            await http.handle(value: stream.parts, logger: logger)
                        }
                    }
                }
            }
        } catch {
            logger.debug("an HTTP/2 connection ended", metadata: ["error": "\(error)"])
        }
    }

    /// SwiftNIO's own bounds on resets, errors, control frames and CONTINUATION frames stay as they are.
    private var configuration: NIOHTTP2Handler.Configuration {
        var configuration = NIOHTTP2Handler.Configuration()
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: Self.most),
            // A list between the limit and this is answered with 431; past it, nothing more is read.
            HTTP2Setting(parameter: .maxHeaderListSize, value: 2 * limits.headerBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: 1 << 17),
        ]
        configuration.connection.maximumBufferedControlFrames = 1000
        configuration.connection.targetWindowSize = 1 << 19
        configuration.stream.targetWindowSize = 1 << 17
        return configuration
    }
}
