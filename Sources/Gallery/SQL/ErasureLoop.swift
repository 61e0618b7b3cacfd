import Foundation
import Synchronization

/// How far erasures are.
public struct ErasureStatus: Sendable, Equatable {
    /// Whether no byte of what was erased is left in the database or its log.
    public var isComplete: Bool
    /// What kept the last try from getting on; nil also while another program, reading an old state, keeps the log from
    /// being emptied.
    public var failure: GalleryError?
}

/// Runs passes that finish erasures in the background, one at a time, each for all that was asked for meanwhile.
final class ErasureLoop: Sendable {
    /// Does all there is to do, until a time if there is one. False if something kept it from that.
    typealias Pass = @Sendable (_ deadline: ContinuousClock.Instant?) async throws -> Bool

    private struct State {
        var requested = 0
        var completed = 0
        var failure: GalleryError?
    }

    private static let debounce = Duration.milliseconds(100)
    private static let longestWait = Duration.seconds(2)
    /// What `stop` may still take.
    private static let lastPass = Duration.seconds(2)

    private let state = Mutex(State())
    private let requests: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let loop = Mutex<(task: Task<Void, Never>, pass: Pass)?>(nil)

    init() { (requests, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1)) }

    deinit { loop.withLock { $0?.task.cancel() } }

    /// Begins to wait for requests. `pass` should hold its owner weakly.
    func start(_ pass: @escaping Pass) {
        let task = Task.detached(priority: .utility) { [weak self, requests] in
            for await _ in requests {
                try? await Task.sleep(for: Self.debounce)
                var wait = Self.debounce
                while !Task.isCancelled, await self?.run(pass, until: nil) == false {
                    try? await Task.sleep(for: wait)
                    wait = min(wait * 2, Self.longestWait)
                }
            }
        }
        loop.withLock { $0 = (task, pass) }
    }

    /// How far erasures are.
    var status: ErasureStatus {
        state.withLock { ErasureStatus(isComplete: $0.completed == $0.requested, failure: $0.failure) }
    }

    /// Asks for a pass.
    func request() {
        state.withLock { $0.requested += 1 }
        wake.yield()
    }

    /// Ends the passes, after a last one that does what it can in a moment.
    func stop() async {
        wake.finish()
        guard let loop = loop.withLock({ $0 }) else { return }
        loop.task.cancel()
        await loop.task.value
        if status.isComplete { return }
        // A task of its own, which is not cancelled even if the one that closes is.
        await Task.detached { _ = await self.run(loop.pass, until: .now + Self.lastPass) }.value
    }

    private func run(_ pass: Pass, until deadline: ContinuousClock.Instant?) async -> Bool {
        let covered = state.withLock { $0.requested }
        do {
            guard try await pass(deadline) else { return false }
        } catch {
            state.withLock { $0.failure = error as? GalleryError }
            return false
        }
        state.withLock { ($0.completed, $0.failure) = (covered, nil) }
        return true
    }
}

/// How much to do in one transaction, so that it holds the writer for about a fiftieth of a second.
struct Pace {
    private(set) var amount: Int
    private let range: ClosedRange<Int>

    init(_ amount: Int, _ range: ClosedRange<Int>) { (self.amount, self.range) = (amount, range) }

    mutating func adapt(to elapsed: Duration) {
        if elapsed < .milliseconds(10) { amount = min(amount * 2, range.upperBound) }
        if elapsed > .milliseconds(25) { amount = max(amount / 2, range.lowerBound) }
    }
}
