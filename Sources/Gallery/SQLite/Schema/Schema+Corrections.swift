import GRDB

extension Schema {
    /// What corrections have changed, so that they can be undone. Rows of what is erased go with it.
    static func createCorrections(_ db: Database) throws {
        for statement in corrections { try db.execute(sql: statement) }
    }

    /// `made` says whether the identity that sightings went to was new. A correction keeps of each sighting whose it was, and of
    /// an identity that is no more, or has another name now, what it was.
    private static let corrections = [
        """
        CREATE TABLE correction (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            gallery_id INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
            uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
            kind TEXT NOT NULL CHECK (kind IN ('move', 'rename', 'merge', 'split')),
            identity_id INTEGER NOT NULL,
            made INTEGER NOT NULL CHECK (made IN (0, 1)),
            created_at INTEGER NOT NULL,
            undone_at INTEGER
        ) STRICT
        """,
        "CREATE INDEX correction_of_gallery ON correction (gallery_id, id)",
        "CREATE INDEX correction_of_identity ON correction (identity_id)",
        """
        CREATE TABLE correction_sighting (
            correction_id INTEGER NOT NULL REFERENCES correction (id) ON DELETE CASCADE,
            sighting_id INTEGER NOT NULL,
            from_id INTEGER NOT NULL,
            PRIMARY KEY (correction_id, sighting_id)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX correction_of_sighting ON correction_sighting (sighting_id)",
        "CREATE INDEX correction_from_identity ON correction_sighting (from_id)",
        """
        CREATE TABLE correction_identity (
            correction_id INTEGER NOT NULL REFERENCES correction (id) ON DELETE CASCADE,
            identity_id INTEGER NOT NULL,
            name TEXT NOT NULL,
            label TEXT,
            metadata TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (correction_id, identity_id)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX correction_was_identity ON correction_identity (identity_id)",
        """
        CREATE TRIGGER sighting_correction_going AFTER DELETE ON sighting BEGIN
            DELETE FROM correction_sighting WHERE sighting_id = OLD.id;
        END
        """,
        """
        CREATE TRIGGER sighting_moved AFTER UPDATE OF identity_id ON sighting WHEN OLD.identity_id <> NEW.identity_id BEGIN
            UPDATE identity_tally SET sightings = sightings - 1 WHERE identity_id = OLD.identity_id;
            UPDATE identity_tally SET sightings = sightings + 1 WHERE identity_id = NEW.identity_id;
        END
        """,
    ]
}
