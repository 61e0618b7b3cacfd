import Documents
import Foundation
import Gallery

/// What jobs of one class would take from each other: those of a class run one after the other, classes side by side.
package enum JobClass: String, CaseIterable, Sendable {
    /// Loads models: memory.
    case model
    /// Changes galleries in bulk: the encoder's time, the writer.
    case gallery
    /// Tidies up.
    case maintenance
}

/// What is done by a job.
package enum JobKind: String, CaseIterable, Sendable {
    /// Makes another model the active one.
    case activation
    /// Compares a model with the active one.
    case comparison
    /// Embeds again, from kept images, what a model knows only as vectors that cannot be taken apart.
    case reembedding

    /// Enrols what was sent in bulk.
    case importing = "import"
    /// Looks for identities without a label that are one.
    case grouping
    /// Proposes thresholds.
    case calibration
    /// Measures how well a gallery's sightings find each other.
    case evaluation
    /// Makes a map of a gallery's embeddings.
    case mapping

    /// Whether it goes on after a start, and where servers share a database, at the leader, whoever was asked for it. What the others
    /// were asked for is not written down: they are done where that was.
    package var isResumed: Bool { jobClass != .maintenance }

    /// What it runs beside of.
    package var jobClass: JobClass {
        switch self {
        case .activation, .comparison: .model
        case .reembedding, .importing: .gallery
        case .grouping, .calibration, .evaluation, .mapping: .maintenance
        }
    }
}

/// A job as it stands: what was written down, and what is known of it beyond that while it has not ended.
package struct JobStatus: Sendable, Equatable {
    package var record: JobRecord
    /// Whether it waits for others of its class.
    package var isWaiting = false
    /// Steps a second, since it began; nil before the first.
    package var rate: Double?

    /// Until it is done, at this rate.
    package var secondsLeft: Double? {
        rate.map { Double(max(record.total - record.done, 0)) / $0 }
    }

    package var hasEnded: Bool { record.state != .running }
}

extension JobStatus {
    /// Of a job that another server does, by what that has written down last.
    init(elsewhere record: JobRecord) {
        self.init(record: record, isWaiting: record.state == .running && record.startedAt == nil)
        guard let start = record.startedAt, record.done > 0, record.updatedAt > start else { return }
        rate = Double(record.done) / record.updatedAt.timeIntervalSince(start)
    }
}

/// A job, to the work that it is.
package struct JobHandle: Sendable {
    let board: JobBoard
    /// As it was when it began.
    let job: JobRecord

    /// Whether it will go on after an error: here at the next start, or at another server.
    func goesOn(after error: any Error) async -> Bool {
        guard let kind = JobKind(rawValue: job.kind) else { return false }
        return await board.goesOn(job.id, kind, after: error)
    }

    /// Says how far it is.
    package func report(_ done: Int, of total: Int) async { await board.update(job.id, done: done, total: total) }

    /// The record of a job that has succeeded.
    package func finished(_ result: JSONValue? = nil) async throws -> JobRecord {
        var record = try await board.job(job.id).record
        record.state = .succeeded
        record.done = record.total
        record.result = try result.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        record.updatedAt = Date()
        return record
    }
}
