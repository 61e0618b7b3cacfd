import NIOCore
import NIOHTTPTypes

/// Fails bodies that come more slowly than the least rate. Only time in which the server would read counts.
final class BodyPace: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServerConfiguration.Limits
    private var rate: LeastRate
    private var isReceiving = false
    private var waitingSince: NIODeadline?
    private var check: Scheduled<Void>?

    init(_ limits: ServerConfiguration.Limits) { (self.limits, rate) = (limits, limits.leastRate) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head: (isReceiving, rate) = (true, limits.leastRate)
        case .body(let bytes): rate.moved(bytes.readableBytes)
        case .end: isReceiving = false
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        countWaiting()
        waitingSince = nil
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if isReceiving && waitingSince == nil {
            waitingSince = .now()
            if check == nil { schedule(context) }
        }
        context.read()
    }

    func handlerRemoved(context: ChannelHandlerContext) { check?.cancel() }

    private func countWaiting() {
        guard let since = waitingSince else { return }
        let now = NIODeadline.now()
        rate.waited(.nanoseconds((now - since).nanoseconds))
        waitingSince = now
    }

    private func schedule(_ context: ChannelHandlerContext) {
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        check = context.eventLoop.scheduleTask(in: .nanoseconds(max(rate.slack, .milliseconds(1)).nanoseconds)) {
            let (handler, context) = loopBound.value
            handler.look(context)
        }
    }

    private func look(_ context: ChannelHandlerContext) {
        check = nil
        countWaiting()
        guard isReceiving, waitingSince != nil else { return }
        guard rate.isBroken else { return schedule(context) }
        isReceiving = false
        context.fireErrorCaught(RequestError.bodyStalled(leastBytesPerSecond: limits.leastBytesPerSecond))
    }
}

extension Duration {
    /// In nanoseconds, as SwiftNIO counts.
    var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
}
