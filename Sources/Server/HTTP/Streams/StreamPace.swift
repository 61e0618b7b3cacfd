import NIOCore
import NIOHTTPTypes

/// What `AnswerPace` does for a connection, for a stream: its answer may also wait for the client to open a window.
final class StreamPace: ChannelOutboundHandler {
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerConfiguration.Limits
    /// A body goes in pieces, so that it is seen to move.
    private let piece: Int
    private var progress: AnswerProgress
    /// Bytes that were written so far, and how many of them have not gone to the socket.
    private var (written, waiting) = (0, 0)
    private var check: Scheduled<Void>?

    init(_ limits: ServerConfiguration.Limits) {
        (self.limits, progress) = (limits, AnswerProgress(limits))
        piece = min(max(limits.leastBytesPerSecond * limits.stallSeconds / 4, 1024), 1 << 14)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .body(var bytes) = unwrapOutboundIn(data), bytes.readableBytes > 0 else {
            return context.write(data, promise: promise)
        }
        while let part = bytes.readSlice(length: min(piece, bytes.readableBytes)), part.readableBytes > 0 {
            let isLast = bytes.readableBytes == 0
            let moved =
                isLast ? promise ?? context.eventLoop.makePromise() : context.eventLoop.makePromise(of: Void.self)
            let (count, handler) = (part.readableBytes, NIOLoopBound(self, eventLoop: context.eventLoop))
            moved.futureResult.whenComplete { _ in handler.value.waiting -= count }
            (written, waiting) = (written + count, waiting + count)
            context.write(wrapOutboundOut(.body(part)), promise: moved)
        }
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        guard check == nil, waiting > 0 else { return }
        progress.begin(gone: written - waiting)
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

    private func schedule(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        check = context.eventLoop.scheduleTask(in: limits.look) {
            let (handler, context) = loopBound.value
            handler.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        check = nil
        let isTooSlow = progress.isTooSlow(gone: written - waiting)
        guard waiting > 0 else { return }
        if isTooSlow { context.close(promise: nil) } else { schedule(context) }
    }
}
