/// Counts that triggers keep, while a copy fills the tables that they count.
///
/// PostgreSQL keeps every version of a row until the transaction has ended, and an update looks through all of them: to count a copy row by
/// row would take the square of its rows. There they are counted once, at its end.
enum CopiedCounts {
    private static let triggers = [
        ("identity", "identity_made"), ("sighting", "sighting_made"), ("image", "image_made"),
        ("embedding", "embedding_made"), ("event", "event_made"),
    ]

    /// Runs a copy into an empty database, in a transaction.
    static func deferring<T>(in db: any SQLSession, _ copy: () throws -> T) throws -> T {
        guard db.dialect == .postgresql else { return try copy() }
        for (table, trigger) in triggers { try db.execute("ALTER TABLE \(table) DISABLE TRIGGER \(trigger)") }
        let result = try copy()
        for (table, trigger) in triggers { try db.execute("ALTER TABLE \(table) ENABLE TRIGGER \(trigger)") }
        // Of tables that were filled in this transaction the planner knows nothing else.
        try db.execute("ANALYZE identity, sighting, image, embedding")
        try db.execute("INSERT INTO identity_tally (identity_id, gallery_id) SELECT id, gallery_id FROM identity")
        try db.execute(
            """
            INSERT INTO coverage (gallery_id, model_id, sightings) SELECT s.gallery_id, e.model_id, COUNT(*)
            FROM embedding e JOIN sighting s ON s.id = e.sighting_id GROUP BY s.gallery_id, e.model_id
            """)
        for count in KeptCount.all { try count.repair(db) }
        return result
    }
}
