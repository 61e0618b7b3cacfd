import GRDB

extension Schema {
    /// From which cosine on a sighting is of a known identity: by gallery, model and the modalities that are compared.
    static func createThresholds(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE match_threshold (
                    gallery_id INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
                    model TEXT NOT NULL,
                    modalities TEXT NOT NULL,
                    threshold REAL NOT NULL CHECK (threshold BETWEEN -1 AND 1),
                    is_stale INTEGER NOT NULL CHECK (is_stale IN (0, 1)),
                    PRIMARY KEY (gallery_id, model, modalities)
                ) STRICT, WITHOUT ROWID
                """)
    }
}
