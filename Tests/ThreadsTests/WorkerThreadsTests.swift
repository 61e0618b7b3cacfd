import Foundation
import Synchronization
import Testing

import Threads

@Suite struct WorkerThreadsTests {
    @Test func secondJobBeginsWhileTheFirstRuns() async throws {
        let workers = WorkerThreads("test", count: 2)
        let (first, second) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        // Each waits for the other: on one thread, or in two queues with both in the same one, neither would end.
        async let a = workers.run {
            second.signal(); return first.wait(timeout: .now() + 60) == .success
        }
        async let b = workers.run {
            first.signal(); return second.wait(timeout: .now() + 60) == .success
        }
        #expect(try await a)
        #expect(try await b)
    }

    @Test func jobThatWaitsIsLetGoOfWhenCancelled() async throws {
        final class Body: Sendable {}
        let workers = WorkerThreads("test", count: 1)
        let gate = DispatchSemaphore(value: 0)
        let busy = Task { try await workers.run { gate.wait() } }
        while workers.load.running == 0 { await Task.yield() }
        weak var body: Body?
        let wasRun = Mutex(false)
        let waiting: Task<Void, any Error>
        do {
            let held = Body()
            body = held
            waiting = Task { [held] in
                try await workers.run {
                    withExtendedLifetime(held) {}
                    wasRun.withLock { $0 = true }
                }
            }
        }
        while workers.load.waiting == 0 { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(workers.load.waiting == 1)
        gate.signal()
        _ = try await busy.value
        try await workers.run {}
        #expect(!wasRun.withLock { $0 })
        #expect(body == nil)
    }

    @Test func errorsComeBack() async {
        struct Failure: Error {}
        await #expect(throws: Failure.self) { try await WorkerThreads("test", count: 1).run { throw Failure() } }
    }
}
