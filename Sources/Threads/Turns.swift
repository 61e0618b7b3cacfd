import Collections
import Synchronization

/// Lets work be done one at a time, in the order in which it came.
package final class Turns: Sendable {
    private struct State {
        var isTaken = false
        var next: UInt64 = 0
        /// Those that wait; who has left is in the order still.
        var waiting: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var order: Deque<UInt64> = []
        /// Those that were cancelled before they waited.
        var left: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Does some work once it is its turn. Throws what it throws, or `CancellationError` if its task is cancelled before.
    package func run<T: Sendable>(_ work: () async throws -> T) async throws -> T {
        try await take()
        defer { give() }
        return try await work()
    }

    private func take() async throws {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        defer { state.withLock { _ = $0.left.remove(number) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait(number, $0) }
        } onCancel: {
            leave(number)
        }
    }

    private func wait(_ number: UInt64, _ continuation: CheckedContinuation<Void, any Error>) {
        let result: Result<Void, any Error>? = state.withLock { state in
            if state.left.remove(number) != nil { return .failure(CancellationError()) }
            if !state.isTaken {
                state.isTaken = true
                return .success(())
            }
            state.waiting[number] = continuation
            state.order.append(number)
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    private func leave(_ number: UInt64) {
        let continuation = state.withLock { state in
            let continuation = state.waiting.removeValue(forKey: number)
            // Before it waits, or when it has its turn already.
            if continuation == nil { state.left.insert(number) }
            return continuation
        }
        continuation?.resume(throwing: CancellationError())
    }

    private func give() {
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            while let number = state.order.popFirst() {
                if let continuation = state.waiting.removeValue(forKey: number) { return continuation }
            }
            state.isTaken = false
            return nil
        }
        continuation?.resume()
    }
}
