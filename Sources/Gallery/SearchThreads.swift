import Tensor

/// The threads that do the store's blocking and computing work, away from Swift's cooperative pool and from the
/// encoder's thread.
final class SearchThreads: Sendable {
    private let threads: [ComputeThread]

    init(count: Int) {
        threads = (0..<max(count, 1)).map { ComputeThread(name: "search \($0)") }
    }

    /// Runs `work` on the thread with the fewest jobs waiting.
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        let idlest = threads.min { $0.depth < $1.depth } ?? threads[0]
        return try await idlest.run(work)
    }
}
