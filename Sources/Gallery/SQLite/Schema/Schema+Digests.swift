import GRDB

extension Schema {
    static func createDigests(_ db: Database) throws {
        for statement in digests { try db.execute(sql: statement) }
        let session = SQLiteSession(db)
        let sightings = try Int64.fetchCursor(db, sql: "SELECT id FROM live_sighting")
        while let id = try sightings.next() { try RowDigest.keep(sighting: id, session) }
        let embeddings = try Row.fetchCursor(db, sql: "SELECT id, modalities, is_fused, vectors FROM embedding")
        while let row = try embeddings.next() {
            try RowDigest.keep(
                embedding: row[0], StoredVectors(modalities: row[1], isFused: row[2], bytes: row[3]), session)
        }
    }

    private static let digests = [
        "CREATE TABLE sighting_digest (sighting_id INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT",
        "CREATE TABLE embedding_digest (embedding_id INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT",
        """
        CREATE TRIGGER sighting_digest_going AFTER DELETE ON sighting BEGIN
            DELETE FROM sighting_digest WHERE sighting_id = OLD.id;
        END
        """,
        """
        CREATE TRIGGER embedding_digest_going AFTER DELETE ON embedding BEGIN
            DELETE FROM embedding_digest WHERE embedding_id = OLD.id;
        END
        """,
        "ALTER TABLE total ADD COLUMN commits INTEGER NOT NULL DEFAULT 0",
    ]
}
