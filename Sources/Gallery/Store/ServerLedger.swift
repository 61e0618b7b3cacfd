import Foundation

/// What a server writes down beside its galleries: jobs, verified checkpoints, which model is active, keys, and the audit log. Durable when a method
/// returns; all throw `GalleryError`.
public protocol ServerLedger: Sendable {
    /// Writes a job down, new or changed. One that has ended stays as it is.
    func save(_ job: JobRecord) async throws
    /// A job. Throws `.notFound`.
    func job(_ id: String) async throws -> JobRecord
    /// Jobs in order of creation; only those of some galleries, or all.
    func jobs(of galleries: [String]?, _ page: PageRequest) async throws -> Page<JobRecord>
    /// Jobs that have not ended: after a start, those that the last end cut off.
    func unfinishedJobs() async throws -> [JobRecord]
    /// Forgets a job that has ended. Throws `.notFound`, and `.invalid` if it has not ended.
    func deleteJob(_ id: String) async throws
    /// Forgets the jobs that ended before a time, and says how many. O(jobs).
    @discardableResult func deleteJobs(endedBefore time: Date) async throws -> Int

    /// Makes a model the active one and writes its job down, both or neither. Galleries that have thresholds of the model that was
    /// active and none of the new one get them with it: moved by a shift, or stale if there is none.
    func activate(_ model: String, finishing job: JobRecord?, moving shift: ThresholdShift?) async throws
    /// The model that was made active last; nil if none ever was.
    func activeModel() async throws -> String?

    /// Writes a verified file down, in place of what was known under its name.
    func save(_ checkpoint: CheckpointRecord) async throws
    /// Every verified file, by name.
    func checkpoints() async throws -> [CheckpointRecord]
    /// Forgets a file. Does nothing if it is not known.
    func forgetCheckpoint(file: String) async throws

    /// Writes a new key down.
    func save(_ key: AccessKey) async throws
    /// Every key that was ever made, in order.
    func accessKeys() async throws -> [AccessKey]
    /// Makes a key useless for ever; one that is already keeps its time. Throws `.notFound`.
    func revokeAccessKey(_ id: String, at time: Date) async throws -> AccessKey

    /// Writes a new webhook down. Throws `.invalid` if there are as many as there may be.
    func create(_ webhook: Webhook) async throws
    /// Every webhook, in order of creation.
    func webhooks() async throws -> [Webhook]
    /// A webhook. Throws `.notFound`.
    func webhook(_ id: String) async throws -> Webhook
    /// Writes down where a webhook is. Does nothing if it was deleted.
    func save(_ webhook: Webhook) async throws
    /// Forgets a webhook. Throws `.notFound`.
    func deleteWebhook(_ id: String) async throws
    /// How many events there are after one. O(those).
    func eventCount(after event: Int64) async throws -> Int

    /// Who has changed, erased and read what, in order; changes are in it from their commit on.
    func audit(_ filter: AuditFilter, _ page: PageRequest) async throws -> Page<AuditRecord>
    /// Counts reads, by the hour.
    func save(_ reads: [AuditedReads: Int], at now: Date) async throws
    /// Forgets what is older.
    func forgetAudit(before time: Date) async throws
}

extension ServerLedger {
    /// Jobs in order of creation.
    public func jobs(_ page: PageRequest) async throws -> Page<JobRecord> { try await jobs(of: nil, page) }
}

/// A checkpoint file that was verified.
public struct CheckpointRecord: Sendable, Equatable {
    /// Its name in the models' folder.
    public let file: String
    /// SHA-256 of its bytes, in hexadecimal: the model's name.
    public let digest: String
    /// Its size.
    public let bytes: Int
    /// When it was changed last, in nanoseconds since 1970.
    public let modifiedAt: Int64
    /// What it holds, a JSON object.
    public let summary: String

    /// A record as given.
    public init(file: String, digest: String, bytes: Int, modifiedAt: Int64, summary: String) {
        (self.file, self.digest, self.bytes) = (file, digest, bytes)
        (self.modifiedAt, self.summary) = (modifiedAt, summary)
    }
}
