import Foundation

/// What servers of one database write down for each other. Changes of which model answers are transactions with numbers, of which
/// every server is told; files are not.
struct PostgreSQLSharedLedger: SharedLedger {
    let store: SQLStore
    let server: SharedEngine

    var member: String { server.member }
    private var files: PostgreSQLSharedFiles { server.files }

    func sharedFiles() async throws -> [SharedFile] { try await files.all() }

    func share(_ name: String, from path: String) async throws {
        guard try await files.share(name, from: path) else { return }
        try await store.write { $0.tell(.checkpoints) }
    }

    func fetch(_ name: String, to path: String) async throws -> Bool { try await files.fetch(name, to: path) }

    func withdraw(_ name: String) async throws {
        try await files.withdraw(name)
        try await store.write { $0.tell(.checkpoints) }
    }

    func forget(_ name: String) async throws { try await files.forget(name) }

    func modelPlan() async throws -> ModelPlan {
        try await store.read { db in
            let candidate = try db.first("SELECT model, job, stand_in, takes_enrolments FROM candidate_model").map {
                ModelPlan.Candidate(model: $0[0], job: $0[1], standIn: $0[2], takesEnrolments: $0[3])
            }
            let prepared = try db.rows(
                "SELECT member, failure FROM prepared_model WHERE model = ? ORDER BY member", [candidate?.model])
            return ModelPlan(
                active: try db.value(String.self, "SELECT digest FROM active_model"), candidate: candidate,
                preparations: prepared.map { ModelPlan.Preparation(member: $0[0], failure: $0[1]) })
        }
    }

    func nominate(_ candidate: ModelPlan.Candidate) async throws {
        try await store.write { db in
            // What was prepared for another job has been let go of since.
            let isKnown = try db.value(String.self, "SELECT job FROM candidate_model") == candidate.job
            if !isKnown {
                for table in ["prepared_model", "embedding_share", "candidate_model"] {
                    try db.execute("DELETE FROM \(table)")
                }
            }
            try db.execute(
                """
                INSERT INTO candidate_model (only_row, model, job, stand_in, takes_enrolments) VALUES (1, ?, ?, ?, ?)
                ON CONFLICT (only_row) DO UPDATE SET stand_in = excluded.stand_in,
                    takes_enrolments = GREATEST(candidate_model.takes_enrolments, excluded.takes_enrolments)
                """, [candidate.model, candidate.job, candidate.standIn, candidate.takesEnrolments])
            db.tell(.candidateModel)
        }
    }

    func withdrawCandidate(of job: String) async throws {
        try await store.write { db in
            try db.execute("DELETE FROM candidate_model WHERE job = ?", [job])
            db.tell(.candidateModel)
        }
    }

    func prepared(_ model: String, failure: String?) async throws {
        try await store.write { [member] db in
            try db.execute(
                """
                INSERT INTO prepared_model VALUES (?, ?, ?)
                ON CONFLICT (member) DO UPDATE SET model = excluded.model, failure = excluded.failure
                """, [member, model, failure])
            db.tell(.candidateModel)
        }
    }

    func embeddedPlace(of model: String) async throws -> Int64? {
        try await store.read { db in
            try Self.lacks(model, after: 0, db) ? nil : db.value(Int64.self, "SELECT MAX(id) FROM sighting") ?? 0
        }
    }

    /// Rows of sightings grow in the order of commits, as whoever writes holds the database.
    private static func lacks(_ model: String, after place: Int64, _ db: any SQLSession) throws -> Bool {
        try db.value(
            Bool.self,
            """
            SELECT EXISTS (SELECT 1 FROM live_sighting s WHERE s.id > ?2 AND NOT EXISTS (
                SELECT 1 FROM embedding e JOIN model m ON m.id = e.model_id
                WHERE e.sighting_id = s.id AND m.digest = ?1))
            """, [model, place]) ?? true
    }

    func activate(
        _ candidate: ModelPlan.Candidate, embeddedTo place: Int64, finishing job: JobRecord,
        moving shift: ThresholdShift?
    ) async throws -> Bool {
        try await store.write { db in
            let state = try db.value(String.self, "SELECT state FROM job WHERE uuid = ?", [job.id])
            guard state == JobRecord.State.running.rawValue else { throw CancellationError() }
            if try Self.lacks(candidate.model, after: place, db) { return false }
            try SQLStore.activate(candidate.model, finishing: job, moving: shift, db)
            try db.execute("DELETE FROM candidate_model")
            db.tell(.candidateModel)
            return true
        }
    }
}
