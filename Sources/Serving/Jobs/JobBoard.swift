import Foundation
import Gallery
import Logging

/// Runs long work, one job of a class at a time and classes side by side, and remembers it in the database: what a crash
/// cut off, or kept waiting, is still `running` there.
///
/// Where servers share a database, each has a board. What the leader does is written down by whoever was asked for it, and taken up
/// there; see `JobBoard+Sharing.swift`.
package actor JobBoard {
    /// Does a job, and gives its record as it ends: `handle.finished`.
    package typealias Work = @Sendable (JobHandle) async throws -> JobRecord

    struct Entry {
        var job: JobRecord
        let kind: JobKind
        let work: Work
        /// Who has asked for it.
        let key = Audit.key
        var task: Task<Void, Never>?
        var begun: ContinuousClock.Instant?
        var saved = ContinuousClock.now
        /// Whether the database has it.
        var isWritten = false
        /// Whether another server goes on with it.
        var isSuspended = false

        mutating func update(_ body: (inout Entry) -> Void) { body(&self) }

        var status: JobStatus {
            let seconds = begun.map { $0.duration(to: .now).seconds } ?? 0
            let rate = job.done > 0 && seconds > 0 ? Double(job.done) / seconds : nil
            return JobStatus(record: job, isWaiting: begun == nil, rate: rate)
        }
    }

    /// Jobs of a class that may wait.
    package static let mostWaiting = 16

    let ledger: any ServerLedger
    let logger: Logger
    /// Whether this server is the leader; nil for one that has its database alone.
    let leads: (@Sendable () -> Bool)?
    /// Those that have not ended, by class, the running one first.
    var queues: [JobClass: [Entry]] = [:]
    private(set) var isStopping = false
    /// Models that are being erased.
    private var held: [String: Int] = [:]

    package init(ledger: any ServerLedger, logger: Logger, leads: (@Sendable () -> Bool)? = nil) {
        (self.ledger, self.logger, self.leads) = (ledger, logger, leads)
    }

    /// Starts a job, or has it wait for its turn, or leaves it to the leader. Throws `ModelError.tooManyJobs`, or `.erasing` while its model is being
    /// erased.
    package func start(_ job: JobRecord, _ kind: JobKind, _ work: @escaping Work) async throws {
        if let leads, kind.isResumed, !leads() { return try await leave(job, kind) }
        let waiting = queues[kind.jobClass, default: []].count - 1
        guard waiting < Self.mostWaiting else {
            throw ModelError.tooManyJobs(kind.jobClass, limit: Self.mostWaiting)
        }
        if let model = job.model, held[model] != nil { throw ModelError.erasing(model) }
        queues[kind.jobClass, default: []].append(Entry(job: job, kind: kind, work: work))
        do {
            try await ledger.save(job)
            change(job.id) { $0.isWritten = true }
        } catch {
            remove(job.id)
            startNext(kind.jobClass)
            throw error
        }
        logger.info("job taken", metadata: metadata(job))
        startNext(kind.jobClass)
    }

    func startNext(_ jobClass: JobClass) {
        guard !isStopping, let next = queues[jobClass]?.first, next.begun == nil else { return }
        queues[jobClass]?[0].begun = .now
        queues[jobClass]?[0].job.startedAt = Date()
        // Detached: it is no part of the request that asked for it, nor of the job before it.
        queues[jobClass]?[0].task = Task.detached { [self] in
            await Audit.$key.withValue(next.key) { await perform(next.job, next.kind, next.work) }
        }
    }

    private func perform(_ job: JobRecord, _ kind: JobKind, _ work: Work) async {
        var ended: JobRecord
        do {
            // Other servers see that it does not wait any more.
            if leads != nil, let begun = entry(job.id)?.job { try? await ledger.save(begun) }
            ended = try await untilReachable(job) { try await work(JobHandle(board: self, job: job)) }
        } catch {
            if goesOn(job.id, kind, after: error) {
                remove(job.id)
                return startNext(kind.jobClass)
            }
            ended = entry(job.id)?.job ?? job
            let isCancelled = error is CancellationError
            (ended.state, ended.reason) = isCancelled ? (.cancelled, nil) : (.failed, "\(error)")
            ended.updatedAt = Date()
        }
        await end(ended)
        remove(job.id)
        startNext(kind.jobClass)
    }

    /// Does something again for as long as the database is away, and the server does not end: a job goes on where it was cut off.
    private func untilReachable<T: Sendable>(
        _ job: JobRecord, _ body: @Sendable () async throws -> T
    ) async throws -> T {
        var wait = Duration.milliseconds(500)
        while true {
            do {
                return try await body()
            } catch let error as GalleryError where error.isOfAbsence && !isStopping {
                logger.warning("a job waits for the database", metadata: metadata(job))
                try await Task.sleep(for: wait)
                wait = min(wait * 2, .seconds(5))
            }
        }
    }

    /// Whether a job that has thrown goes on: here once the database is there again, or at the next start, or at another server, or at
    /// this one once it is in step with others.
    func goesOn(_ id: String, _ kind: JobKind, after error: any Error) -> Bool {
        switch error {
        case is CancellationError: isSuspended(id)
        case let error as GalleryError: error.isOfAbsence
        case ServingError.outOfStep: leads != nil && kind.isResumed
        default: false
        }
    }

    private func isSuspended(_ id: String) -> Bool { isStopping || entry(id)?.isSuspended == true }

    func end(_ record: JobRecord) async {
        // Not in the job's task, which may have been cancelled.
        let saving = await Task { [ledger] in
            try await untilReachable(record) { try await ledger.save(record) }
        }.result
        if case .failure(let error) = saving {
            logger.error("a job's end was not saved", metadata: ["error": "\(error)"])
        }
        var metadata = metadata(record)
        (metadata["state"], metadata["reason"]) = ("\(record.state.rawValue)", "\(record.reason ?? "")")
        logger.info("job ended", metadata: metadata)
    }

    func metadata(_ job: JobRecord) -> Logger.Metadata {
        ["job": "\(job.id)", "kind": "\(job.kind)", "model": "\(job.model ?? "")"]
    }

    var entries: [Entry] { queues.values.flatMap { $0 } }

    func entry(_ id: String) -> Entry? { entries.first { $0.job.id == id } }

    func remove(_ id: String) {
        for key in queues.keys { queues[key]?.removeAll { $0.job.id == id } }
    }

    func change(_ id: String, _ body: (inout Entry) -> Void) {
        for key in queues.keys {
            guard let index = queues[key]?.firstIndex(where: { $0.job.id == id }) else { continue }
            queues[key]?[index].update(body)
        }
    }

    /// Does what no job for a model may be beside of. Throws `ModelError.busy` if there is one; none begins meanwhile.
    package func withoutJob(of model: String, _ body: @Sendable () async throws -> Void) async throws {
        if let user = entries.first(where: { $0.job.model == model }) { throw ModelError.busy(job: user.job.id) }
        if leads != nil, let user = try await ledger.unfinishedJobs().first(where: { $0.model == model }) {
            throw ModelError.busy(job: user.id)
        }
        held[model, default: 0] += 1
        defer { held[model] = held[model].flatMap { $0 > 1 ? $0 - 1 : nil } }
        try await body()
    }

    /// The job as it stands. Throws `GalleryError.notFound`.
    package func job(_ id: String) async throws -> JobStatus {
        if let entry = entry(id) { return entry.status }
        return status(try await ledger.job(id))
    }

    /// Jobs in order of creation, as they stand; only those of some galleries, or all. Throws `GalleryError.invalid`.
    package func jobs(of galleries: [String]? = nil, _ page: PageRequest) async throws -> Page<JobStatus> {
        let page = try await ledger.jobs(of: galleries, page)
        return Page(items: page.items.map { entry($0.id)?.status ?? status($0) }, next: page.next)
    }

    private func status(_ record: JobRecord) -> JobStatus {
        leads == nil ? JobStatus(record: record) : JobStatus(elsewhere: record)
    }

    /// Those that have not ended, as they stand.
    package var unfinished: [(kind: JobKind, status: JobStatus)] { entries.map { ($0.kind, $0.status) } }

    /// How many jobs of each class have not ended.
    package var load: [JobClass: Int] { queues.mapValues(\.count) }

    /// Ends a job early: what it had done is kept, and nothing is switched; one that has ended is forgotten. Throws
    /// `GalleryError.notFound`.
    /// - Returns: whether it was forgotten.
    package func cancel(_ id: String) async throws -> Bool {
        guard let entry = entry(id) else { return try await cancelElsewhere(id) }
        if let task = entry.task {
            task.cancel()
        } else {
            remove(id)
            var record = entry.job
            (record.state, record.updatedAt) = (.cancelled, Date())
            await end(record)
        }
        return false
    }

    /// Stops for the server's end: jobs that have not ended go on at the next start.
    package func stop() async {
        isStopping = true
        let tasks = entries.compactMap(\.task)
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }

    func update(_ id: String, done: Int, total: Int) async {
        var due: JobRecord?
        change(id) { entry in
            (entry.job.done, entry.job.total, entry.job.updatedAt) = (done, total, Date())
            guard entry.saved.duration(to: .now) > .seconds(1) else { return }
            entry.saved = .now
            due = entry.job
        }
        if let due { try? await ledger.save(due) }
    }
}
