import Foundation

/// What is written down of a change, in its own transaction.
enum AuditAction: String {
    case galleryCreated = "gallery-created"
    case galleryChanged = "gallery-changed"
    case galleryErased = "gallery-erased"
    case identityCreated = "identity-created"
    case identityChanged = "identity-changed"
    case identityErased = "identity-erased"
    case sightingsEnrolled = "sightings-enrolled"
    case sightingChanged = "sighting-changed"
    case sightingsErased = "sightings-erased"
    case corrected = "corrected"
    case thresholdsChanged = "thresholds-changed"
    case modelActivated = "model-activated"
    case vectorsErased = "vectors-erased"
    case keyCreated = "key-created"
    case keyRevoked = "key-revoked"
    case webhookCreated = "webhook-created"
    case webhookDeleted = "webhook-deleted"
}

extension SQLSession {
    /// Writes down who has just done something.
    func audit(_ action: AuditAction, gallery: Int64? = nil, subject: Int64? = nil, count: Int = 1) throws {
        if count == 0 { return }
        try execute(
            """
            INSERT INTO audit (created_at, key, action, gallery_id, subject_id, count) VALUES (?, ?, ?, ?, ?, ?)
            """, [Date().milliseconds, Audit.key, action.rawValue, gallery, subject, count])
    }

    /// Counts what was enrolled by the hour.
    func auditEnrolment(of count: Int, gallery: Int64) throws {
        try auditHourly(AuditAction.sightingsEnrolled.rawValue, gallery: gallery, count: count, at: Date())
    }

    /// The same of what happens so often that it is counted by the hour.
    func auditHourly(_ action: String, key: String? = Audit.key, gallery: Int64?, count: Int, at now: Date) throws {
        if count == 0 { return }
        try execute(
            """
            INSERT INTO audit (created_at, key, action, gallery_id, count, hour) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (hour, action, coalesce(key, ''), coalesce(gallery_id, 0)) WHERE hour IS NOT NULL
            DO UPDATE SET count = audit.count + excluded.count
            """, [now.milliseconds, key, action, gallery, count, now.milliseconds / 3_600_000])
    }
}

extension SQLStore {
    func audit(_ filter: AuditFilter, _ page: PageRequest) async throws -> Page<AuditRecord> {
        try await read { db in
            let part = page.clause("a.id", place: "?1")
            let rows = try db.rows(
                """
                SELECT a.*, g.name AS gallery FROM audit a LEFT JOIN live_gallery g ON g.id = a.gallery_id
                WHERE \(part.rest) AND (a.key = ?2 OR ?2 IS NULL) AND (a.action = ?3 OR ?3 IS NULL)
                    AND (g.name = ?4 OR ?4 IS NULL)
                ORDER BY \(part.order) LIMIT ?5
                """, [page.start, filter.key, filter.action, filter.gallery, page.limit + 1])
            return Page(
                rows.map { row in
                    let record = AuditRecord(
                        at: Date(milliseconds: row["created_at"]), key: row["key"], action: row["action"],
                        gallery: row["gallery"], galleryID: row["gallery_id"], subject: row["subject_id"],
                        count: row["count"])
                    return (row["id"], record)
                }, page)
        }
    }

    func save(_ reads: [AuditedReads: Int], at now: Date) async throws {
        try await write { db in
            for (read, count) in reads {
                let gallery = try read.gallery.flatMap {
                    try db.value(Int64.self, "SELECT id FROM live_gallery WHERE name = ?", [$0])
                }
                try db.auditHourly(read.operation, key: read.key, gallery: gallery, count: count, at: now)
            }
        }
    }

    func forgetAudit(before time: Date) async throws {
        try await write { db in
            try db.execute("DELETE FROM audit WHERE created_at < ?", [time.milliseconds])
        }
    }
}
