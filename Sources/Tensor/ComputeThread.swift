import Collections
import Foundation
import Synchronization

/// A dedicated thread for arithmetic.
///
/// OpenMP gives each calling thread a team of its own, so arithmetic from many threads would oversubscribe the cores;
/// and a long computation on Swift's cooperative pool would hold up every other task. All work therefore goes through
/// one of these, in the order of submission.
public final class ComputeThread: Sendable {
    /// The process's compute thread. Everything that computes shares it unless it has a reason for its own.
    public static let shared = ComputeThread(name: "compute")

    private typealias Job = @Sendable () -> Void

    private final class Queue: Sendable {
        let jobs = Mutex<Deque<Job?>>([])
        let available = DispatchSemaphore(value: 0)

        /// Adds a job; nil ends the thread.
        func add(_ job: Job?) {
            jobs.withLock { $0.append(job) }
            available.signal()
        }

        func runUntilEnded() {
            while true {
                available.wait()
                guard let job = jobs.withLock({ $0.popFirst() }) ?? nil else { return }
                job()
            }
        }
    }

    private let queue = Queue()

    /// Starts a thread.
    public init(name: String) {
        let queue = queue
        let thread = Thread { queue.runUntilEnded() }
        thread.name = name
        thread.stackSize = 64 << 20  // Freeing a long tape recurses once for each operation.
        thread.start()
    }

    deinit { queue.add(nil) }

    /// How many jobs wait.
    public var depth: Int { queue.jobs.withLock { $0.count } }

    /// Runs `work` on the thread and returns its result, or throws its error. If the calling task is cancelled first, it
    /// throws `CancellationError` at once; work that has not begun is then never begun.
    public func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        let waiter = Waiter<T>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                queue.add {
                    guard waiter.isWaiting else { return }
                    waiter.resume(with: Result { try work() })
                }
            }
        } onCancel: {
            waiter.resume(with: .failure(CancellationError()))
        }
    }
}

/// A task that waits for a result, which comes at most once: from the thread, or from its cancellation.
private final class Waiter<T: Sendable>: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<T, any Error>)
        case done
    }

    private let state = Mutex(State.new)

    var isWaiting: Bool {
        state.withLock { if case .waiting = $0 { true } else { false } }
    }

    func wait(_ continuation: CheckedContinuation<T, any Error>) {
        let isCancelled = state.withLock { state in
            if case .done = state { return true }
            state = .waiting(continuation)
            return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
    }

    func resume(with result: Result<T, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<T, any Error>? in
            defer { state = .done }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume(with: result)
    }
}
