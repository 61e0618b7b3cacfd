/// What servers embed together: who is at which sightings, and who has done how many.
extension PostgreSQLSharedLedger {
    /// Rows that are looked at for each that is wanted, as other servers are at the ones before.
    private static let reach = 8

    func takePending(
        _ candidate: ModelPlan.Candidate, limit: Int, after key: Int64
    ) async throws -> [PendingSighting] {
        try Validation.limit(limit)
        var place = key
        while true {
            let rows = try await store.read { [place] db in
                try db.values(
                    Int64.self, "SELECT s.id \(SQLStore.missing) ORDER BY s.id LIMIT ?3",
                    [candidate.model, place, Self.reach * limit])
            }
            guard let last = rows.last else { return [] }
            let batch = try await pending(candidate, among: server.claims.take(rows, most: limit))
            if !batch.isEmpty { return batch }
            place = last
        }
    }

    /// Those that are still pending now that nobody else can be at them, as many as fit into memory; lets go of the others.
    private func pending(
        _ candidate: ModelPlan.Candidate, among rows: [Int64]
    ) async throws -> [PendingSighting] {
        if rows.isEmpty { return [] }
        do {
            let batch = try await store.read { db in
                let found = try db.rows(
                    "SELECT s.id, g.name, s.uuid \(SQLStore.missing) AND s.id = ANY (CAST(?3 AS bigint[])) ORDER BY s.id",
                    [candidate.model, 0, PostgreSQLArray(rows).text])
                return try SQLStore.batch(found, found.count, db).sightings
            }
            let taken = Set(batch.map(\.key))
            try await server.claims.giveBack(rows.filter { !taken.contains($0) })
            return batch
        } catch {
            try? await server.claims.giveBack(rows)
            throw error
        }
    }

    func giveBack(_ sightings: [PendingSighting]) async {
        try? await server.claims.giveBack(sightings.map(\.key))
    }

    func add(_ additions: [EmbeddingAddition], of candidate: ModelPlan.Candidate) async throws -> Int {
        for addition in additions { try Validation.embedding(addition.embedding) }
        return try await store.write { [name = server.name] db in
            let job = try db.value(String.self, "SELECT job FROM candidate_model WHERE model = ?", [candidate.model])
            guard job == candidate.job else { throw CancellationError() }
            let added = try SQLStore.addEmbeddings(additions, db)
            try db.execute(
                """
                INSERT INTO embedding_share VALUES (?, ?, ?)
                ON CONFLICT (job, server) DO UPDATE SET sightings = embedding_share.sightings + excluded.sightings
                """, [candidate.job, name, added])
            return added
        }
    }

    func shares(of job: String) async throws -> [String: Int] {
        try await store.read { db in
            let rows = try db.rows("SELECT server, sightings FROM embedding_share WHERE job = ?", [job])
            return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
        }
    }
}
