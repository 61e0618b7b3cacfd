import Foundation

extension SQLStore {
    func save(_ job: JobRecord) async throws {
        try await write { db in try Self.save(job, db) }
    }

    func activate(_ model: String, finishing job: JobRecord?, moving shift: ThresholdShift?) async throws {
        try await write { db in try Self.activate(model, finishing: job, moving: shift, db) }
    }

    static func activate(
        _ model: String, finishing job: JobRecord?, moving shift: ThresholdShift?, _ db: any SQLSession
    ) throws {
        let earlier = try db.value(String.self, "SELECT digest FROM active_model")
        if let earlier, earlier != model {
            try moveThresholds(from: earlier, to: model, shift, db)
            try db.announce(
                .model, gallery: nil, detail: .object(["model": .string(model), "previous": .string(earlier)]))
        }
        if earlier != model {
            try db.audit(.modelActivated)
            db.tell(.activeModel)
        }
        try db.execute(
            """
            INSERT INTO active_model (only_row, digest, activated_at) VALUES (1, ?, ?)
            ON CONFLICT (only_row) DO UPDATE SET digest = excluded.digest, activated_at = excluded.activated_at
            """, [model, Date().milliseconds])
        if let job { try save(job, db) }
    }

    /// Throws `GalleryError.modelChanged` for an enrolment that the active model has not embedded, made when another one was that.
    static func requireActive(_ enrolments: [Enrolment], _ db: any SQLSession) throws {
        let made = enrolments.filter { $0.activeModel != nil }
        guard !made.isEmpty, let active = try db.value(String.self, "SELECT digest FROM active_model") else { return }
        for enrolment in made where enrolment.activeModel != active {
            guard enrolment.embeddings.contains(where: { $0.model == active }) else {
                throw GalleryError.modelChanged(active: active)
            }
        }
    }

    private static func moveThresholds(
        from earlier: String, to model: String, _ shift: ThresholdShift?, _ db: any SQLSession
    ) throws {
        let rows = try db.rows(
            """
            SELECT gallery_id, modalities, threshold FROM match_threshold t WHERE model = ? AND is_stale = 0
                AND NOT EXISTS (SELECT 1 FROM match_threshold WHERE gallery_id = t.gallery_id AND model = ?)
            """, [earlier, model])
        for row in rows {
            let threshold: Float = row[2]
            try db.execute(
                "INSERT INTO match_threshold VALUES (?, ?, ?, ?, ?)",
                [
                    row[0] as Int64, model, row[1] as String, shift?.moved(threshold) ?? threshold, shift == nil,
                ])
        }
    }

    func activeModel() async throws -> String? {
        try await read { db in try db.value(String.self, "SELECT digest FROM active_model") }
    }

    private static func save(_ job: JobRecord, _ db: any SQLSession) throws {
        db.tell(.jobs)
        try db.execute(
            """
            INSERT INTO job (uuid, kind, model, gallery, state, done, total, reason, result, created_at, started_at,
                updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (uuid) DO UPDATE SET state = excluded.state, done = excluded.done, total = excluded.total,
                reason = excluded.reason, result = excluded.result, started_at = excluded.started_at,
                updated_at = excluded.updated_at
            WHERE job.state = 'running'
            """,
            [
                job.id, job.kind, job.model, job.gallery, job.state.rawValue, job.done, job.total, job.reason,
                job.result, job.createdAt.milliseconds, job.startedAt?.milliseconds, job.updatedAt.milliseconds,
            ])
    }

    func job(_ id: String) async throws -> JobRecord {
        try await read { db in
            guard let row = try db.first("SELECT * FROM job WHERE uuid = ?", [id]) else {
                throw GalleryError.notFound(.job, id)
            }
            return JobRecord(row)
        }
    }

    func jobs(of galleries: [String]?, _ page: PageRequest) async throws -> Page<JobRecord> {
        try await read { db in
            let (isSeen, part) = (Self.isAmong("gallery", galleries), page.clause("id"))
            let rows = try db.rows(
                "SELECT * FROM job WHERE \(isSeen) AND \(part.rest) ORDER BY \(part.order) LIMIT ?",
                (galleries ?? []) + [page.start, page.limit + 1])
            return Page(rows.map { (key: $0["id"], item: JobRecord($0)) }, page)
        }
    }

    /// A condition that holds of every row if there are no values, with a place for each of them.
    static func isAmong(_ column: String, _ values: [String]?) -> String {
        values.map { "\(column) IN (\(SQLFragment.places($0.count)))" } ?? "TRUE"
    }

    func unfinishedJobs() async throws -> [JobRecord] {
        try await read { db in
            try db.rows("SELECT * FROM job WHERE state = 'running' ORDER BY id").map(JobRecord.init)
        }
    }

    func deleteJob(_ id: String) async throws {
        try await write { db in
            let state = try db.value(String.self, "SELECT state FROM job WHERE uuid = ?", [id])
            guard let state else { throw GalleryError.notFound(.job, id) }
            try Validation.require(state != JobRecord.State.running.rawValue, "state", "a job that has ended", state)
            try db.execute("DELETE FROM job WHERE uuid = ?", [id])
            db.tell(.jobs)
        }
    }

    func deleteJobs(endedBefore time: Date) async throws -> Int {
        try await write { db in
            try db.execute("DELETE FROM job WHERE state <> 'running' AND updated_at < ?", [time.milliseconds])
        }
    }
}

extension SQLStore {
    func save(_ checkpoint: CheckpointRecord) async throws {
        try await write { db in
            db.tell(.checkpoints)
            try db.execute(
                """
                INSERT INTO checkpoint (file, digest, bytes, modified_at, summary) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (file) DO UPDATE SET digest = excluded.digest, bytes = excluded.bytes,
                    modified_at = excluded.modified_at, summary = excluded.summary
                """,
                [
                    checkpoint.file, checkpoint.digest, checkpoint.bytes, checkpoint.modifiedAt, checkpoint.summary,
                ])
        }
    }

    func checkpoints() async throws -> [CheckpointRecord] {
        try await read { db in
            try db.rows("SELECT * FROM checkpoint ORDER BY file").map {
                CheckpointRecord(
                    file: $0["file"], digest: $0["digest"], bytes: $0["bytes"], modifiedAt: $0["modified_at"],
                    summary: $0["summary"])
            }
        }
    }

    func forgetCheckpoint(file: String) async throws {
        try await write { db in
            try db.execute("DELETE FROM checkpoint WHERE file = ?", [file])
            db.tell(.checkpoints)
        }
    }
}
