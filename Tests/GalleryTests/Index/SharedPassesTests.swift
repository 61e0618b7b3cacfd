import Gallery
import Synchronization
import Testing

struct SharedPassesTests {
    private func query(_ number: Int) -> VectorIndex.Query { VectorIndex.Query(vectors: [], limit: number) }

    /// How many eligible rows there were is the query's limit here.
    private static let echo: SharedPasses.Search = { queries in
        try await Task.sleep(for: .milliseconds(20))
        return queries.map { VectorIndex.Outcome(hits: [], rows: $0.limit, candidates: 0, incomparable: 0) }
    }

    @Test("Queries that come together share passes, and each gets its own answer")
    func shared() async throws {
        let (passes, sizes) = (SharedPasses(), Counts())
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 1...100 {
                group.addTask {
                    let asked = [self.query(number), self.query(number + 1000)]
                    let found = try await passes.run(asked) { queries in
                        sizes.add(queries.count)
                        return try await Self.echo(queries)
                    }
                    return found.map(\.rows) == [number, number + 1000]
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        #expect(sizes.all.reduce(0, +) == 200 && sizes.all.count < 20, "\(sizes.all)")
        #expect(sizes.all.allSatisfy { $0 <= 32 })
    }

    @Test("One that is cancelled ends at once and takes nothing from the others")
    func cancelled() async throws {
        let passes = SharedPasses()
        let others = (1...5).map { number in
            Task { try await passes.run([query(number)], Self.echo)[0].rows }
        }
        let cancelled = Task { try await passes.run([query(9)], Self.echo) }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        for (index, other) in others.enumerated() { #expect(try await other.value == index + 1) }
    }

    @Test("A pass that fails says so to all who share it, and the next one goes on")
    func failure() async throws {
        let passes = SharedPasses()
        await #expect(throws: GalleryError.busy) { try await passes.run([query(1)]) { _ in throw GalleryError.busy } }
        #expect(try await passes.run([query(2)], Self.echo)[0].rows == 2)
    }
}

private final class Counts: Sendable {
    private let counts = Mutex<[Int]>([])

    var all: [Int] { counts.withLock { $0 } }

    func add(_ count: Int) { counts.withLock { $0.append(count) } }
}
