import GRDB

extension Schema {
    /// What a server that changes its model must not forget.
    static func createServingTables(_ db: Database) throws {
        for statement in [activeModel, checkpoint, job] { try db.execute(sql: statement) }
    }

    private static let activeModel = """
        CREATE TABLE active_model (
            only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
            digest TEXT NOT NULL,
            activated_at INTEGER NOT NULL
        ) STRICT
        """

    /// Files that were verified: one that has not changed since need not be read again.
    private static let checkpoint = """
        CREATE TABLE checkpoint (
            file TEXT PRIMARY KEY,
            digest TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            modified_at INTEGER NOT NULL,
            summary TEXT NOT NULL CHECK (json_type(summary) = 'object')
        ) STRICT
        """

    private static let job = """
        CREATE TABLE job (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
            kind TEXT NOT NULL,
            model TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),
            done INTEGER NOT NULL,
            total INTEGER NOT NULL,
            reason TEXT,
            result TEXT CHECK (json_type(result) = 'object'),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL
        ) STRICT
        """
}
