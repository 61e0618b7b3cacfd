import Synchronization

/// A task that waits for a result, which comes at most once: from the thread, or from its cancellation.
package final class Waiter<T: Sendable>: Sendable {
    private enum State {
        case new
        case waiting(CheckedContinuation<T, any Error>)
        case done
    }

    private let state = Mutex(State.new)

    package init() {}

    /// Whether no result has come yet.
    package var isWaiting: Bool {
        state.withLock { if case .waiting = $0 { true } else { false } }
    }

    /// Takes the continuation; resumes it at once if the result is there already.
    package func wait(_ continuation: CheckedContinuation<T, any Error>) {
        let isCancelled = state.withLock { state in
            if case .done = state { return true }
            state = .waiting(continuation)
            return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
    }

    /// Gives the result; the second one is dropped.
    package func resume(with result: Result<T, any Error>) {
        let continuation = state.withLock { state -> CheckedContinuation<T, any Error>? in
            defer { state = .done }
            if case .waiting(let continuation) = state { return continuation }
            return nil
        }
        continuation?.resume(with: result)
    }
}
