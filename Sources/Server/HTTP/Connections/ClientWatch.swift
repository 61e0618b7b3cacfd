import NIOCore
import NIOHTTPTypes
import Synchronization

/// Notices that a connection's client has left, so that work for it ends.
///
/// A client that closes only its sending side looks the same: TCP tells no difference until something is sent. It is taken
/// to have left, as other servers do.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart

    let client = Client()

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { client.leave() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        client.leave()
        context.fireChannelInactive()
    }
}

/// Whoever is at the other end of a connection.
final class Client: Sendable {
    private struct State {
        var hasLeft = false
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// It has left: everything that was done for it is cancelled.
    func leave() {
        let waiting = state.withLock { state in
            state.hasLeft = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Does work for as long as the client is there; then cancels it, and throws `CancellationError`.
    func whileConnected<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                await self.departure()
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let value = first else { throw CancellationError() }
            return value
        }
    }

    /// Returns once the client has left, or the task is cancelled.
    private func departure() async {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.hasLeft || Task.isCancelled { return true }
                    state.waiting[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume()
        }
    }
}

extension ServerContext {
    /// Does work for as long as the request's client is there; then cancels it, and throws `CancellationError`.
    func whileConnected<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let client = try? await channel.pipeline.handler(type: ClientWatch.self).map(\.client).get()
        guard let client else { return try await work() }
        return try await client.whileConnected(work)
    }
}
