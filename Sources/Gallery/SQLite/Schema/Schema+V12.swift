import GRDB

extension Schema {
    /// Which identities a person has told apart, and a kind of correction for that.
    static func createDistinctions(_ db: Database) throws {
        for statement in moreKinds + distinctions { try db.execute(sql: statement) }
    }

    /// A check cannot be altered; the rows that refer to corrections do so by the table's name. Row numbers go on from the last one
    /// that there ever was.
    private static let moreKinds = [
        """
        CREATE TABLE correction_of_more_kinds (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            gallery_id INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
            uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
            kind TEXT NOT NULL CHECK (kind IN ('move', 'rename', 'merge', 'split', 'distinguish')),
            identity_id INTEGER NOT NULL,
            made INTEGER NOT NULL CHECK (made IN (0, 1)),
            created_at INTEGER NOT NULL,
            undone_at INTEGER
        ) STRICT
        """,
        "INSERT INTO correction_of_more_kinds SELECT * FROM correction",
        "DELETE FROM sqlite_sequence WHERE name = 'correction_of_more_kinds'",
        """
        INSERT INTO sqlite_sequence SELECT 'correction_of_more_kinds', seq FROM sqlite_sequence WHERE name = 'correction'
        """,
        "DROP TABLE correction",
        "ALTER TABLE correction_of_more_kinds RENAME TO correction",
        "CREATE INDEX correction_of_gallery ON correction (gallery_id, id)",
        "CREATE INDEX correction_of_identity ON correction (identity_id)",
    ]

    /// The earlier identity is the first. `correction_id` is the correction that said so, `merge_id` a merge that has passed it on. A
    /// merge keeps what was said of the identity that it ends, which comes back with it.
    private static let distinctions = [
        """
        CREATE TABLE distinction (
            first_id INTEGER NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
            second_id INTEGER NOT NULL REFERENCES identity (id) ON DELETE CASCADE,
            correction_id INTEGER NOT NULL,
            merge_id INTEGER,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (first_id, second_id),
            CHECK (first_id < second_id)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX distinction_of_second ON distinction (second_id)",
        "CREATE INDEX distinction_of_correction ON distinction (correction_id)",
        "CREATE INDEX distinction_of_merge ON distinction (merge_id) WHERE merge_id IS NOT NULL",
        """
        CREATE TABLE correction_distinction (
            correction_id INTEGER NOT NULL REFERENCES correction (id) ON DELETE CASCADE,
            first_id INTEGER NOT NULL,
            second_id INTEGER NOT NULL,
            said_by INTEGER NOT NULL,
            merge_id INTEGER,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (correction_id, first_id, second_id)
        ) STRICT, WITHOUT ROWID
        """,
        "CREATE INDEX correction_distinction_of_first ON correction_distinction (first_id)",
        "CREATE INDEX correction_distinction_of_second ON correction_distinction (second_id)",
        "CREATE INDEX correction_distinction_said_by ON correction_distinction (said_by)",
    ]
}
