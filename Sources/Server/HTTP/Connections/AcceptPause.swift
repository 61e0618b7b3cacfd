import Foundation
import Logging
import NIOCore

/// Stops accepting for a moment when there are no descriptors, and closes idle connections meanwhile. SwiftNIO leaves the
/// socket registered then, and its loop would turn without rest; the pause of its `AcceptBackoffHandler` is too late, and
/// too long, so that does not hear of it.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let shortages: Set = [EMFILE, ENFILE, ENOBUFS, ENOMEM]
    private let pool: ConnectionPool
    private let logger: Logger
    private var isPaused = false
    private var lastWarning: NIODeadline?

    init(_ pool: ConnectionPool, _ logger: Logger) { (self.pool, self.logger) = (pool, logger) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? IOError, Self.shortages.contains(error.errnoCode) else {
            return context.fireErrorCaught(error)
        }
        guard !isPaused else { return }
        isPaused = true
        warn(error)
        pool.makeRoom()
        accept(false, context)
        let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(50)) {
            let (handler, context) = loopBound.value
            handler.isPaused = false
            handler.accept(true, context)
        }
    }

    private func accept(_ isOn: Bool, _ context: ChannelHandlerContext) {
        // It fails for a channel that is closed, which accepts nothing anyway.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isOn)
    }

    /// At most once a minute.
    private func warn(_ error: IOError) {
        let now = NIODeadline.now()
        guard lastWarning.map({ now - $0 > .minutes(1) }) ?? true else { return }
        lastWarning = now
        logger.warning("no connection can be accepted: idle ones are closed", metadata: ["error": "\(error)"])
    }
}
