import NIOCore

/// Closes connections that take their answers more slowly than the least rate: an answer that nobody reads holds memory,
/// a place in admission, and the server's end.
final class AnswerPace: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let limits: ServerConfiguration.Limits
    private var rate: LeastRate
    /// Bytes that were written so far, and how many of them had gone to the socket at the last look.
    private var (written, gone) = (0, 0)
    private var lastLook = NIODeadline.now()
    private var check: Scheduled<Void>?

    init(_ limits: ServerConfiguration.Limits) { (self.limits, rate) = (limits, limits.leastRate) }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        guard check == nil else { return }
        let left = waiting(context)
        guard left > 0 else { return }
        (rate, gone, lastLook) = (limits.leastRate, written - left, .now())
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

    /// Bytes that the socket has not taken.
    private func waiting(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        check = context.eventLoop.scheduleTask(in: .milliseconds(Int64(limits.stallSeconds) * 250)) {
            let (handler, context) = loopBound.value
            handler.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        check = nil
        let (left, now) = (waiting(context), NIODeadline.now())
        rate.waited(.nanoseconds((now - lastLook).nanoseconds))
        rate.moved(written - left - gone)
        (gone, lastLook) = (written - left, now)
        guard left > 0 else { return }
        guard rate.isBroken else { return schedule(context) }
        context.close(promise: nil)
    }
}
