import GRDB

extension Schema {
    /// What has happened, for whoever follows it; where webhooks are in that; and who has changed what.
    static func createJournal(_ db: Database) throws {
        for statement in events + audit { try db.execute(sql: statement) }
    }

    /// An event says what it is about by a row alone, so that it goes with that, and names are those of today. What it says in
    /// words, `detail`, is of no person. `event_floor` has the last that was forgotten because of its age.
    private static let events = [
        """
        CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            gallery_id INTEGER REFERENCES gallery (id) ON DELETE CASCADE,
            sighting_id INTEGER,
            score REAL,
            detail TEXT CHECK (json_type(detail) = 'object')
        ) STRICT
        """,
        "CREATE INDEX event_of_sighting ON event (sighting_id) WHERE sighting_id IS NOT NULL",
        "CREATE INDEX event_of_gallery ON event (gallery_id) WHERE gallery_id IS NOT NULL",
        """
        CREATE TRIGGER sighting_event_going AFTER DELETE ON sighting BEGIN
            DELETE FROM event WHERE sighting_id = OLD.id;
        END
        """,
        "CREATE TABLE event_floor (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), id INTEGER NOT NULL) STRICT",
        "INSERT INTO event_floor VALUES (1, 0)",
        """
        CREATE TABLE webhook (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
            url TEXT NOT NULL,
            filter TEXT NOT NULL CHECK (json_type(filter) = 'object'),
            created_at INTEGER NOT NULL,
            position INTEGER NOT NULL,
            delivered INTEGER NOT NULL DEFAULT 0,
            failures INTEGER NOT NULL DEFAULT 0,
            failing_since INTEGER,
            next_at INTEGER,
            is_dead INTEGER NOT NULL DEFAULT 0 CHECK (is_dead IN (0, 1)),
            last_error TEXT
        ) STRICT
        """,
        "ALTER TABLE identity ADD COLUMN watchlist INTEGER NOT NULL DEFAULT 0 CHECK (watchlist IN (0, 1))",
        "ALTER TABLE correction_identity ADD COLUMN watchlist INTEGER NOT NULL DEFAULT 0",
    ]

    /// Rows, not names: what they meant is gone when it is erased. `hour` is set for what is counted by the hour.
    private static let audit = [
        """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            created_at INTEGER NOT NULL,
            key TEXT,
            action TEXT NOT NULL,
            gallery_id INTEGER,
            subject_id INTEGER,
            count INTEGER NOT NULL,
            hour INTEGER
        ) STRICT
        """,
        """
        CREATE UNIQUE INDEX audit_by_hour ON audit (hour, action, coalesce(key, ''), coalesce(gallery_id, 0))
        WHERE hour IS NOT NULL
        """,
    ]
}
