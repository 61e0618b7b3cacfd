import Foundation
import Gallery
import Logging

/// Has each job be done by one server of those that share a database: the leader takes up what was written down for it, and each ends
/// what another has cancelled.
actor JobFollower {
    /// How often a server says of its own jobs that it is at them, and for how long another's may not have changed.
    private static let (touching, mostSilent) = (Duration.seconds(15), Duration.seconds(60))
    /// For how long a file may belong to no job, or come no further.
    private static let mostIdle = Duration.seconds(600)
    private static let tidying = Duration.seconds(30)

    private let ledger: any SharedLedger
    private let gallery: GalleryStore
    private let models: ModelService
    private let logger: Logger
    private var isLeading = false
    private var touchedAt = ContinuousClock.now
    private var tidiedAt = ContinuousClock.now
    private var (jobs, files) = (Stillness(), Stillness())

    init(_ ledger: any SharedLedger, _ gallery: GalleryStore, _ models: ModelService, _ logger: Logger) {
        (self.ledger, self.gallery, self.models, self.logger) = (ledger, gallery, models, logger)
    }

    /// Throws `GalleryError` or `ModelError`; the next turn goes on.
    func turn() async throws {
        guard gallery.isLeader else {
            if isLeading { await models.jobs.suspend() }
            isLeading = false
            try await models.jobs.heedEnds()
            return try await touch()
        }
        try await models.jobs.heedEnds()
        try await touch()
        let unfinished = try await gallery.ledger.unfinishedJobs()
        try await models.takeUp(unfinished)
        try await withdrawOrphan(unfinished)
        // Of the model that this server answers with, which must be the active one.
        if !isLeading, models.parts.models.step.objection == nil {
            try await models.beginUpkeep()
            isLeading = true
        }
        try await failSilent(unfinished)
        try await tidy(unfinished)
    }

    private func touch() async throws {
        guard touchedAt.duration(to: .now) >= Self.touching else { return }
        touchedAt = .now
        try await models.jobs.touch()
    }

    /// A candidate whose job has ended, of a leader that did not come to withdraw it.
    private func withdrawOrphan(_ unfinished: [JobRecord]) async throws {
        guard let candidate = try await ledger.modelPlan().candidate,
            !unfinished.contains(where: { $0.id == candidate.job })
        else { return }
        // Both were read one after the other.
        if let job = try? await gallery.ledger.job(candidate.job), job.state == .running { return }
        try await ledger.withdrawCandidate(of: candidate.job)
    }

    /// Ends the jobs of servers that have ended, which nobody can go on with.
    private func failSilent(_ unfinished: [JobRecord]) async throws {
        jobs.keep(Set(unfinished.map(\.id)))
        for var job in unfinished {
            guard JobKind(rawValue: job.kind)?.isResumed == false, await models.jobs.entry(job.id) == nil,
                jobs.time(of: job.id, at: job.updatedAt) > Self.mostSilent
            else { continue }
            (job.state, job.reason, job.updatedAt) = (.failed, ModelService.askAgain, Date())
            try await gallery.ledger.save(job)
        }
    }

    /// Deletes what was shared for jobs that have ended, and what never became whole.
    private func tidy(_ unfinished: [JobRecord]) async throws {
        guard tidiedAt.duration(to: .now) >= Self.tidying else { return }
        tidiedAt = .now
        let names = Set(unfinished.map(\.id))
        let found = try await ledger.sharedFiles()
        files.keep(Set(found.map(\.name)))
        for file in found {
            let isDue =
                switch file.state {
                case .coming: true
                case .whole: ImportFile.job(ofShared: file.name).map { !names.contains($0) } ?? false
                case .gone: false
                }
            guard isDue, files.time(of: file.name, at: file.changedAt) > Self.mostIdle else { continue }
            logger.info("shared file deleted, which nobody wants", metadata: ["file": "\(file.name)"])
            try await ledger.forget(file.name)
        }
    }
}

/// For how long things have been as they are, by this process's own clock: those of other machines may differ.
private struct Stillness {
    private var seen: [String: (value: Date, since: ContinuousClock.Instant)] = [:]

    /// Since this value was seen first; zero for a new one.
    mutating func time(of key: String, at value: Date) -> Duration {
        if let known = seen[key], known.value == value { return known.since.duration(to: .now) }
        seen[key] = (value, .now)
        return .zero
    }

    /// Forgets what there is not any more.
    mutating func keep(_ keys: Set<String>) { seen = seen.filter { keys.contains($0.key) } }
}
