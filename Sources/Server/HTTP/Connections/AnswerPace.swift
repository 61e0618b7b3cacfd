import NIOCore

/// Closes connections that take their answers more slowly than the least rate: an answer that nobody reads holds memory,
/// a place in admission, and the server's end.
final class AnswerPace: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let limits: ServerConfiguration.Limits
    private var progress: AnswerProgress
    /// Bytes that were written so far.
    private var written = 0
    private var check: Scheduled<Void>?

    init(_ limits: ServerConfiguration.Limits) { (self.limits, progress) = (limits, AnswerProgress(limits)) }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        written += unwrapOutboundIn(data).readableBytes
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        guard check == nil else { return }
        let left = waiting(context)
        guard left > 0 else { return }
        progress.begin(gone: written - left)
        schedule(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

    /// Bytes that the socket has not taken.
    private func waiting(_ context: ChannelHandlerContext) -> Int {
        (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        check = context.eventLoop.scheduleTask(in: limits.look) {
            let (handler, context) = loopBound.value
            handler.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        check = nil
        let left = waiting(context)
        let isTooSlow = progress.isTooSlow(gone: written - left)
        guard left > 0 else { return }
        if isTooSlow { context.close(promise: nil) } else { schedule(context) }
    }
}

/// How an answer moves, looked at now and then.
struct AnswerProgress {
    private let limits: ServerConfiguration.Limits
    private var rate: LeastRate
    /// Bytes that had gone at the last look.
    private var gone = 0
    private var lastLook = NIODeadline.now()

    init(_ limits: ServerConfiguration.Limits) { (self.limits, rate) = (limits, limits.leastRate) }

    /// Something waits, and so many bytes have gone before.
    mutating func begin(gone: Int) { (rate, self.gone, lastLook) = (limits.leastRate, gone, .now()) }

    /// Looks again, when so many bytes have gone: whether that is below the least rate.
    mutating func isTooSlow(gone: Int) -> Bool {
        let now = NIODeadline.now()
        rate.waited(.nanoseconds((now - lastLook).nanoseconds))
        rate.moved(gone - self.gone)
        (self.gone, lastLook) = (gone, now)
        return rate.isBroken
    }
}

extension ServerConfiguration.Limits {
    /// How often an answer that waits is looked at.
    var look: TimeAmount { .milliseconds(Int64(stallSeconds) * 250) }
}
