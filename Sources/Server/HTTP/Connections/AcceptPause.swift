import Foundation
import NIOCore

/// Stops accepting for a moment when there are no descriptors, and closes idle connections meanwhile. SwiftNIO leaves the
/// socket registered then, and its loop would turn without rest.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let shortages: Set = [EMFILE, ENFILE, ENOBUFS, ENOMEM]
    private let pool: ConnectionPool
    private var isPaused = false

    init(_ pool: ConnectionPool) { self.pool = pool }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, Self.shortages.contains(error.errnoCode), !isPaused {
            isPaused = true
            pool.makeRoom()
            accept(false, context)
            let loopBound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            context.eventLoop.scheduleTask(in: .milliseconds(100)) {
                let (handler, context) = loopBound.value
                handler.isPaused = false
                handler.accept(true, context)
            }
        }
        context.fireErrorCaught(error)
    }

    private func accept(_ isOn: Bool, _ context: ChannelHandlerContext) {
        // It fails for a channel that is closed, which accepts nothing anyway.
        try? context.channel.syncOptions?.setOption(.autoRead, value: isOn)
    }
}
