import Foundation
import Gallery

/// Where servers share a database: what one board does is known to the others by what is written down.
extension JobBoard {
    /// Writes a job down for the leader. Throws `ModelError.tooManyJobs`, or `GalleryError`.
    func leave(_ job: JobRecord, _ kind: JobKind) async throws {
        let others = try await ledger.unfinishedJobs().compactMap { JobKind(rawValue: $0.kind) }
        guard others.count(where: { $0.jobClass == kind.jobClass }) <= Self.mostWaiting else {
            throw ModelError.tooManyJobs(kind.jobClass, limit: Self.mostWaiting)
        }
        try await ledger.save(job)
        logger.info("job left to the leader", metadata: metadata(job))
    }

    /// Goes on with a job that is written down, unless it is on the board.
    func takeUp(_ job: JobRecord, _ kind: JobKind, _ work: @escaping Work) {
        guard !isStopping, entry(job.id) == nil else { return }
        var entry = Entry(job: job, kind: kind, work: work)
        entry.isWritten = true
        queues[kind.jobClass, default: []].append(entry)
        logger.info("job taken up", metadata: metadata(job))
        startNext(kind.jobClass)
    }

    /// Lets go of what is the leader's to do, as another server has become that. Nothing is written down: it goes on there.
    func suspend() {
        for entry in entries where entry.kind.isResumed {
            change(entry.job.id) { $0.isSuspended = true }
            if let task = entry.task { task.cancel() } else { remove(entry.job.id) }
        }
    }

    /// Ends what another server has cancelled. Throws `GalleryError`.
    func heedEnds() async throws {
        // Those that are written down by now: others would look as if they had ended.
        let written = entries.filter(\.isWritten).map(\.job.id)
        if written.isEmpty { return }
        let unfinished = Set(try await ledger.unfinishedJobs().map(\.id))
        for id in written where !unfinished.contains(id) {
            if let task = entry(id)?.task { task.cancel() } else { remove(id) }
        }
    }

    /// Says of jobs that are done here alone that somebody does them. Throws `GalleryError`.
    func touch() async throws {
        for entry in entries where !entry.kind.isResumed && entry.isWritten {
            var job = entry.job
            job.updatedAt = Date()
            try await ledger.save(job)
        }
    }

    /// Whether no job of a class has still to end, here or elsewhere. Throws `GalleryError`.
    func isIdle(_ jobClass: JobClass) async throws -> Bool {
        if queues[jobClass]?.isEmpty == false { return false }
        if leads == nil { return true }
        return try await !ledger.unfinishedJobs().contains { JobKind(rawValue: $0.kind)?.jobClass == jobClass }
    }

    /// Of a job that another board has, or none any more. Throws as `cancel` does.
    func cancelElsewhere(_ id: String) async throws -> Bool {
        var job = try await ledger.job(id)
        guard leads != nil, job.state == .running else {
            try await ledger.deleteJob(id)
            return true
        }
        (job.state, job.updatedAt) = (.cancelled, Date())
        try await ledger.save(job)
        return false
    }
}
