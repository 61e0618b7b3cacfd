import Foundation
import Gallery
import Serving
import Testing

@Suite("Jobs")
struct JobBoardTests {
    /// A job of the class of models that waits until it is told to end.
    private func held(
        _ world: World, model: String = "m"
    ) async throws -> (id: String, end: AsyncStream<Void>.Continuation) {
        let (signal, end) = AsyncStream.makeStream(of: Void.self)
        let job = JobRecord(kind: JobKind.comparison.rawValue, model: model)
        try await world.stack.jobs.start(job, .comparison) { handle in
            await handle.report(1, of: 4)
            for await _ in signal { break }
            try Task.checkCancellation()
            return try await handle.finished()
        }
        return (job.id, end)
    }

    @Test("of a class one runs and the next waits for it, in order; both tell how far they are")
    func order() async throws {
        try await World.run { world in
            let first = try await held(world)
            let second = try await held(world)
            #expect(try await world.stack.jobs.job(second.id).isWaiting)
            while try await world.stack.jobs.job(first.id).rate == nil { await Task.yield() }
            #expect(try await world.stack.jobs.job(first.id).secondsLeft != nil)
            first.end.finish()
            #expect(try await world.ended(first.id).record.state == .succeeded)
            while try await world.stack.jobs.job(second.id).isWaiting { await Task.yield() }
            second.end.finish()
            #expect(try await world.ended(second.id).record.state == .succeeded)
        }
    }

    @Test("one that waits can be cancelled and never begins; one that has ended can be forgotten")
    func cancellation() async throws {
        try await World.run { world in
            let (jobs, first, second) = (world.stack.jobs, try await held(world), try await held(world))
            #expect(try await !jobs.cancel(second.id))
            #expect(try await world.ended(second.id).record.state == .cancelled)
            #expect(try await !jobs.cancel(first.id))
            #expect(try await world.ended(first.id).record.state == .cancelled)
            #expect(try await jobs.cancel(first.id))
            await #expect(throws: GalleryError.notFound(.job, first.id)) { try await jobs.job(first.id) }
        }
    }

    @Test("a model with a job, running or waiting, is not erased; so many wait and no more")
    func bounds() async throws {
        try await World.run { world in
            let first = try await held(world, model: "a")
            let second = try await held(world, model: "b")
            for (model, job) in [("a", first.id), ("b", second.id)] {
                await #expect(throws: ModelError.busy(job: job)) { try await world.stack.models.delete(model) }
            }
            for _ in 1..<JobBoard.mostWaiting { _ = try await held(world) }
            await #expect(throws: ModelError.tooManyJobs(.model, limit: JobBoard.mostWaiting)) {
                _ = try await held(world)
            }
        }
    }

    @Test("what the last end cut off goes on; a kind that nobody knows fails instead of doing something else")
    func resumption() async throws {
        try await World.run { world in
            let model = try await world.publish(seed: 1)
            let known = JobRecord(kind: JobKind.activation.rawValue, model: model)
            let unknown = JobRecord(kind: "polishing", model: model)
            for job in [known, unknown] { try await world.stack.gallery.ledger.save(job) }
            try await world.stack.models.resumeJobs()
            #expect(try await world.ended(known.id).record.state == .succeeded)
            let failed = try await world.ended(unknown.id).record
            #expect(failed.state == .failed && failed.reason?.contains("polishing") == true)
        }
    }

    @Test("a job that is cut off by the database's absence goes on when it is there again, and is not taken for failed")
    func absence() async throws {
        try await World.run { world in
            let tries = Counter()
            let job = JobRecord(kind: JobKind.comparison.rawValue, model: "m")
            try await world.stack.jobs.start(job, .comparison) { handle in
                if await tries.next() < 3 { throw GalleryError.unavailable("it is away") }
                return try await handle.finished()
            }
            #expect(try await world.ended(job.id).record.state == .succeeded)
            #expect(await tries.count == 3)
            let failing = JobRecord(kind: JobKind.comparison.rawValue, model: "m")
            try await world.stack.jobs.start(failing, .comparison) { _ in throw GalleryError.full }
            #expect(try await world.ended(failing.id).record.state == .failed)
        }
    }
}

private actor Counter {
    private(set) var count = 0

    func next() -> Int {
        count += 1
        return count
    }
}
