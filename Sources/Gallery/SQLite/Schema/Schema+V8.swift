import GRDB

extension Schema {
    /// Who may do what. A revoked key keeps its row, so that a database that ever had one is not open to everyone again.
    static func createAccess(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE access_key (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    public_id TEXT NOT NULL UNIQUE,
                    name TEXT NOT NULL,
                    role TEXT NOT NULL CHECK (role IN ('read', 'enrol', 'admin')),
                    galleries TEXT CHECK (json_type(galleries) = 'array'),
                    requests_per_minute INTEGER,
                    digest BLOB NOT NULL CHECK (length(digest) = 32),
                    created_at INTEGER NOT NULL,
                    expires_at INTEGER,
                    revoked_at INTEGER
                ) STRICT
                """)
        // nil for what concerns the whole server.
        try db.execute(sql: "ALTER TABLE job ADD COLUMN gallery TEXT")
    }
}
