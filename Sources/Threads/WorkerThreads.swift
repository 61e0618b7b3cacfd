import Collections
import Foundation
import Synchronization

/// A fixed number of threads that take blocking or long work from one queue, away from Swift's cooperative pool.
///
/// One queue for all of them: whatever waits is begun by the first thread that is free, in the order in which it came.
public final class WorkerThreads: Sendable {
    private typealias Job = @Sendable () -> Void

    private struct State {
        var jobs: Deque<Job?> = []
        /// Begun and not ended.
        var running = 0
    }

    private final class Queue: Sendable {
        let state = Mutex(State())
        let available = DispatchSemaphore(value: 0)

        func add(_ job: Job?) {
            state.withLock { $0.jobs.append(job) }
            available.signal()
        }

        func runUntilEnded() {
            while true {
                available.wait()
                let next = state.withLock { state in
                    let next = state.jobs.popFirst() ?? nil
                    if next != nil { state.running += 1 }
                    return next
                }
                guard let next else { return }
                next()
                state.withLock { $0.running -= 1 }
            }
        }
    }

    /// How many threads there are.
    public let count: Int
    private let queue = Queue()

    /// Starts `count` threads, at least one, named after what they are for.
    public init(_ name: String, count: Int) {
        self.count = max(count, 1)
        for index in 0..<self.count {
            let thread = Thread { [queue] in queue.runUntilEnded() }
            thread.name = "\(name) \(index)"
            thread.start()
        }
    }

    deinit { for _ in 0..<count { queue.add(nil) } }

    /// How many jobs wait, and how many are being done.
    public var load: (waiting: Int, running: Int) {
        queue.state.withLock { ($0.jobs.count(where: { $0 != nil }), $0.running) }
    }

    /// Runs `work` on one of the threads and returns its result, or throws its error. If the calling task is cancelled
    /// first, it throws `CancellationError` at once; work that has not begun is then never begun, and its place in the queue
    /// costs nothing.
    public func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await run { _ in try work() }
    }

    /// As above, for work that ends early if nobody waits for it any more: it asks `isWanted` now and then.
    public func run<T: Sendable>(
        _ work: @escaping @Sendable (_ isWanted: @escaping @Sendable () -> Bool) throws -> T
    ) async throws -> T {
        let waiter = Waiter<T>()
        // Let go of on cancellation: a job that waits its turn must not keep a request's body in memory.
        let pending = Pending { try work { waiter.isWaiting } }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                queue.add {
                    guard let work = pending.take() else { return }
                    waiter.resume(with: Result { try work() })
                }
            }
        } onCancel: {
            _ = pending.take()
            waiter.resume(with: .failure(CancellationError()))
        }
    }
}

/// Work that is done at most once, and forgotten by then.
private final class Pending<T: Sendable>: Sendable {
    private let work: Mutex<(@Sendable () throws -> T)?>

    init(_ work: @escaping @Sendable () throws -> T) { self.work = Mutex(work) }

    func take() -> (@Sendable () throws -> T)? {
        work.withLock { work in
            defer { work = nil }
            return work
        }
    }
}
