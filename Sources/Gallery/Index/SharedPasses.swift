import Synchronization
import Threads

/// Searches of one index that come while others are under way, and go through its vectors together in the next pass.
package final class SharedPasses: Sendable {
    package typealias Search = @Sendable ([VectorIndex.Query]) async throws -> [VectorIndex.Outcome]

    private struct Request: Sendable {
        let queries: [VectorIndex.Query]
        let search: Search
        let waiter: Waiter<[VectorIndex.Outcome]>
    }

    private struct State {
        var waiting: [Request] = []
        var running = 0
    }

    private let most: Int
    private let atOnce: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - most: queries of a pass. More would hold up those that come meanwhile for little gain.
    ///   - atOnce: passes: while one reads its last candidates another one begins.
    package init(most: Int = 32, atOnce: Int = 2) { (self.most, self.atOnce) = (most, atOnce) }

    /// What `search` gives for some queries, perhaps among others. Throws what it throws, or `CancellationError`.
    package func run(_ queries: [VectorIndex.Query], _ search: @escaping Search) async throws -> [VectorIndex.Outcome] {
        let waiter = Waiter<[VectorIndex.Outcome]>()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                waiter.wait(continuation)
                let request = Request(queries: queries, search: search, waiter: waiter)
                let begins = state.withLock { state in
                    state.waiting.append(request)
                    if state.running == atOnce { return false }
                    state.running += 1
                    return true
                }
                // Of nobody's task: others share it, and whoever leaves must not end it.
                if begins { Task { await self.pass() } }
            }
        } onCancel: {
            waiter.resume(with: .failure(CancellationError()))
        }
    }

    private func pass() async {
        while let requests = next() {
            do {
                var outcomes = try await requests[0].search(requests.flatMap(\.queries))[...]
                for request in requests {
                    request.waiter.resume(with: .success(Array(outcomes.prefix(request.queries.count))))
                    outcomes = outcomes.dropFirst(request.queries.count)
                }
            } catch {
                for request in requests { request.waiter.resume(with: .failure(error)) }
            }
        }
    }

    /// The oldest that somebody waits for, as many as go together but at least one; nil if there is none, and the pass has ended.
    private func next() -> [Request]? {
        state.withLock { state in
            state.waiting.removeAll { !$0.waiter.isWaiting }
            var (requests, count) = ([Request](), 0)
            for request in state.waiting {
                count += request.queries.count
                if !requests.isEmpty && count > most { break }
                requests.append(request)
            }
            state.waiting.removeFirst(requests.count)
            if requests.isEmpty { state.running -= 1 }
            return requests.isEmpty ? nil : requests
        }
    }
}
