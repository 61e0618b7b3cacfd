import Synchronization
import Testing
import Threads

struct TurnsTests {
    /// How many work at a time, and how many have.
    private final class Tally: Sendable {
        private let counts = Mutex((working: 0, most: 0, done: 0))

        var most: Int { counts.withLock { $0.most } }
        var done: Int { counts.withLock { $0.done } }

        func work() async {
            counts.withLock { counts in
                counts.working += 1
                counts.most = max(counts.most, counts.working)
            }
            await Task.yield()
            counts.withLock { counts in
                counts.working -= 1
                counts.done += 1
            }
        }
    }

    @Test("Of many one works at a time, and all do")
    func one() async throws {
        let (turns, tally) = (Turns(), Tally())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { try await turns.run { await tally.work() } } }
            try await group.waitForAll()
        }
        #expect(tally.most == 1 && tally.done == 50)
    }

    @Test("Who leaves before their turn does no work, and the next has it")
    func leaving() async throws {
        let turns = Turns()
        let (stays, ends) = AsyncStream.makeStream(of: Void.self)
        let (begun, begins) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            try await turns.run {
                begins.finish()
                for await _ in stays {}
            }
        }
        for await _ in begun {}
        let second = Task { try await turns.run { Issue.record("it had left") } }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        let third = Task { try await turns.run { 3 } }
        ends.finish()
        try await first.value
        #expect(try await third.value == 3)
    }

    @Test("Work that throws gives its turn back")
    func throwing() async throws {
        let turns = Turns()
        await #expect(throws: CancellationError.self) { try await turns.run { throw CancellationError() } }
        #expect(try await turns.run { 1 } == 1)
    }
}
