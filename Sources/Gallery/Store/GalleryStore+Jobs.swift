import Foundation
import GRDB

extension GalleryStore {
    /// Writes a job down, new or changed.
    public func save(_ job: JobRecord) async throws {
        try await write { db in try Self.save(job, db) }
    }

    /// Makes a model the active one and writes its job down, both or neither.
    public func activate(_ model: String, finishing job: JobRecord? = nil) async throws {
        try await write { db in
            try db.execute(
                sql: "INSERT OR REPLACE INTO active_model (only_row, digest, activated_at) VALUES (1, ?, ?)",
                arguments: [model, Date().milliseconds])
            if let job { try Self.save(job, db) }
        }
    }

    /// The model that was made active last; nil if none ever was.
    public func activeModel() async throws -> String? {
        try await read { db in try String.fetchOne(db, sql: "SELECT digest FROM active_model") }
    }

    private static func save(_ job: JobRecord, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO job (uuid, kind, model, state, done, total, reason, result, created_at, started_at, updated_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (uuid) DO UPDATE SET state = excluded.state, done = excluded.done, total = excluded.total,
                    reason = excluded.reason, result = excluded.result, started_at = excluded.started_at,
                    updated_at = excluded.updated_at
                """,
            arguments: [
                job.id, job.kind, job.model, job.state.rawValue, job.done, job.total, job.reason, job.result,
                job.createdAt.milliseconds, job.startedAt?.milliseconds, job.updatedAt.milliseconds,
            ])
    }

    /// A job. Throws `.notFound`.
    public func job(_ id: String) async throws -> JobRecord {
        try await read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM job WHERE uuid = ?", arguments: [id]) else {
                throw GalleryError.notFound(.job, id)
            }
            return JobRecord(row)
        }
    }

    /// Jobs in order of creation. Throws `.invalid` for a bad cursor or limit.
    public func jobs(limit: Int, after cursor: String? = nil) async throws -> Page<JobRecord> {
        try Validation.limit(limit)
        let start = try Cursor(cursor)
        return try await read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM job WHERE id > ? ORDER BY id LIMIT ?", arguments: [start.key, limit + 1])
            return Page(rows.map { (key: $0["id"], item: JobRecord($0)) }, limit: limit)
        }
    }

    /// Jobs that have not ended: after a start, those that the last end cut off.
    public func unfinishedJobs() async throws -> [JobRecord] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM job WHERE state = 'running' ORDER BY id").map(JobRecord.init)
        }
    }

    /// Forgets a job that has ended. Throws `.notFound`, and `.invalid` if it has not ended.
    public func deleteJob(_ id: String) async throws {
        try await write { db in
            let state = try String.fetchOne(db, sql: "SELECT state FROM job WHERE uuid = ?", arguments: [id])
            guard let state else { throw GalleryError.notFound(.job, id) }
            try Validation.require(state != JobRecord.State.running.rawValue, "state", "a job that has ended", state)
            try db.execute(sql: "DELETE FROM job WHERE uuid = ?", arguments: [id])
        }
    }

    /// Forgets the jobs that ended before a time, and says how many. O(jobs).
    @discardableResult public func deleteJobs(endedBefore time: Date) async throws -> Int {
        try await write { db in
            try db.execute(
                sql: "DELETE FROM job WHERE state <> 'running' AND updated_at < ?", arguments: [time.milliseconds])
            return db.changesCount
        }
    }
}
