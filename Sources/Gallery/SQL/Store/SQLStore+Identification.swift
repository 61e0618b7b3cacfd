import Foundation

extension SQLStore {
    func thresholds(in gallery: String) async throws -> [MatchThreshold] {
        try await read { db in
            try db.rows(
                """
                SELECT model, modalities, threshold, is_stale FROM match_threshold WHERE gallery_id = ?
                ORDER BY model, modalities
                """, [Self.galleryID(gallery, db)]
            ).map { row in
                let modalities: String = row[1]
                return MatchThreshold(
                    model: row[0], modalities: modalities.split(separator: ",").map(String.init),
                    threshold: row[2], isStale: row[3])
            }
        }
    }

    func setThresholds(_ thresholds: [MatchThreshold], model: String, in gallery: String) async throws {
        try await write { db in
            let id = try Self.galleryID(gallery, db)
            try db.execute("DELETE FROM match_threshold WHERE gallery_id = ? AND model = ?", [id, model])
            for threshold in thresholds {
                try db.execute(
                    "INSERT INTO match_threshold VALUES (?, ?, ?, ?, ?)",
                    [
                        id, model, threshold.modalities.joined(separator: ","), threshold.threshold, threshold.isStale,
                    ])
            }
            try db.audit(.thresholdsChanged, gallery: id, count: max(thresholds.count, 1))
        }
    }

    func identify(
        _ passage: IdentifyingTransaction, in gallery: String
    ) async throws -> (outcome: IdentifyingTransaction.Outcome, verdict: Verdict?) {
        try await write { [configuration] db in
            let id = try Self.galleryID(gallery, db)
            if configuration.sharing { try Self.requireActive(passage.enrolments, db) }
            let earlier = try passage.enrolments.compactMap { try Self.replay($0.idempotency, id, db) }
            if !earlier.isEmpty { return (.init(sightings: earlier, isReplay: true), nil) }
            let verdict = passage.court.verdict(
                passage.evidence, try Self.owners(of: passage.evidence.rivals.map(\.sighting), db),
                recent: try Self.recent(passage, id, db))
            let name: String
            switch verdict.decision {
            case .join(let identity): name = identity
            case .make: name = "unknown-\(SightingIdentifier.make(at: Date()))"
            case .leave, .searchAgain: return (.left, verdict)
            }
            var changes: [IndexChange] = []
            let receipts = try passage.enrolments.map { enrolment in
                var enrolment = enrolment
                enrolment.identity = name
                return try Self.enrol(enrolment, id, keepsImages: configuration.keepsImages, &changes, db)
            }
            db.apply(changes)
            if let first = receipts.first?.sighting {
                let isMatched = verdict.decision != .make
                try db.announceSighting(
                    isMatched ? .matched : .new, first, gallery: id,
                    score: isMatched ? verdict.rivals.first?.score : nil)
            }
            try db.auditEnrolment(of: receipts.count, gallery: id)
            return (.init(sightings: receipts.map(\.sighting)), verdict)
        }
    }

    /// The names of the identities of those sightings that are there.
    private static func owners(of sightings: [Int64], _ db: any SQLSession) throws -> [Int64: String] {
        let statement = "SELECT i.name FROM live_sighting s JOIN identity i ON i.id = s.identity_id WHERE s.id = ?"
        return try sightings.reduce(into: [:]) { owners, sighting in
            owners[sighting] = try db.value(String.self, statement, [sighting])
        }
    }

    /// What was enrolled since the search and its filter admits.
    private static func recent(
        _ passage: IdentifyingTransaction, _ gallery: Int64, _ db: any SQLSession
    ) throws -> [RecentSighting] {
        let rows = try db.rows(
            """
            SELECT s.id, s.identity_id, s.camera, s.captured_at, i.name, e.modalities, e.is_fused, e.vectors
            FROM live_sighting s JOIN identity i ON i.id = s.identity_id JOIN embedding e ON e.sighting_id = s.id
            WHERE s.id > ? AND s.gallery_id = ? AND e.model_id = (SELECT id FROM live_model WHERE digest = ?)
            """, [passage.evidence.last, gallery, passage.model])
        if rows.isEmpty { return [] }
        let filter = try indexFilter(passage.filter, gallery, db)
        return rows.compactMap { row in
            guard filter.admits(sighting: row[0], identity: row[1], camera: row[2], capturedAt: row[3]) else {
                return nil
            }
            let stored = StoredVectors(modalities: row[5], isFused: row[6], bytes: row[7])
            return RecentSighting(sighting: row[0], identity: row[4], vectors: stored.vectors)
        }
    }
}
