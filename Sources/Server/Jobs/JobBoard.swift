import Documents
import Foundation
import Gallery
import Inference
import Logging

/// Runs long work, one piece at a time, and remembers it in the database: what a crash cut off is still `running` there.
actor JobBoard {
    /// Does a job, and gives its record as it ends: `handle.finished`.
    typealias Work = @Sendable (JobHandle) async throws -> JobRecord

    private let gallery: GalleryStore
    private let logger: Logger
    private var current: JobRecord?
    private var task: Task<Void, Never>?
    private var lastSaved = ContinuousClock.now
    private var isStopping = false
    /// How many must not be disturbed by a job that begins.
    private var holds = 0

    init(gallery: GalleryStore, logger: Logger) {
        (self.gallery, self.logger) = (gallery, logger)
    }

    /// Starts a job. Throws `ModelError.busy` while another is running, or a model is being erased.
    func start(_ job: JobRecord, _ work: @escaping Work) async throws {
        if let current { throw ModelError.busy(job: current.id) }
        if holds > 0 { throw ModelError.erasing }
        current = job
        do {
            try await gallery.save(job)
        } catch {
            current = nil
            throw error
        }
        logger.info("job started", metadata: ["job": "\(job.id)", "kind": "\(job.kind)", "model": "\(job.model)"])
        task = Task { await perform(job, work) }
    }

    private func perform(_ job: JobRecord, _ work: Work) async {
        var ended: JobRecord
        do {
            ended = try await work(JobHandle(board: self, job: job))
        } catch {
            ended = current ?? job
            // Cut off by the server's end, it goes on at the next start.
            if error is CancellationError && isStopping { return }
            (ended.state, ended.reason) =
                error is CancellationError
                ? (.cancelled, nil) : (.failed, ProblemTable.entry(error)?.detail ?? "\(error)")
            ended.updatedAt = Date()
        }
        // Not in this task, which may have been cancelled.
        let (record, gallery) = (ended, gallery)
        let saving = await Task { try await gallery.save(record) }.result
        if case .failure(let error) = saving {
            logger.error("a job's end was not saved", metadata: ["error": "\(error)"])
        }
        logger.info(
            "job ended",
            metadata: ["job": "\(record.id)", "state": "\(record.state.rawValue)", "reason": "\(record.reason ?? "")"])
        (current, task) = (nil, nil)
    }

    /// Does what no job for a model may be beside of. Throws `ModelError.busy` if there is one; none begins meanwhile.
    func withoutJob(of model: String, _ body: @Sendable () async throws -> Void) async throws {
        if let current, current.model == model { throw ModelError.busy(job: current.id) }
        holds += 1
        defer { holds -= 1 }
        try await body()
    }

    /// The job as it stands. Throws `GalleryError.notFound`.
    func job(_ id: String) async throws -> JobRecord {
        if let current, current.id == id { return current }
        return try await gallery.job(id)
    }

    /// The job that is running.
    var running: JobRecord? { current }

    /// Ends a job early; what it had done is kept, and nothing is switched. Throws `GalleryError.notFound` and
    /// `ModelError.ended`.
    func cancel(_ id: String) async throws {
        guard let current, current.id == id else {
            let known = try await gallery.job(id)
            throw ModelError.ended(job: known.id)
        }
        task?.cancel()
    }

    /// Stops for the server's end: the job goes on at the next start.
    func stop() async {
        isStopping = true
        task?.cancel()
        await task?.value
    }

    fileprivate func update(_ id: String, done: Int, total: Int) async {
        guard var job = current, job.id == id else { return }
        (job.done, job.total, job.updatedAt) = (done, total, Date())
        current = job
        guard lastSaved.duration(to: .now) > .seconds(1) else { return }
        lastSaved = .now
        try? await gallery.save(job)
    }
}

/// A job, to the work that it is.
struct JobHandle: Sendable {
    fileprivate let board: JobBoard
    fileprivate let job: JobRecord

    /// Says how far it is.
    func report(_ done: Int, of total: Int) async { await board.update(job.id, done: done, total: total) }

    /// The record of a job that has succeeded.
    func finished(_ result: JSONValue? = nil) async throws -> JobRecord {
        var record = await board.running ?? job
        record.state = .succeeded
        record.done = record.total
        record.result = try result.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        record.updatedAt = Date()
        return record
    }
}
