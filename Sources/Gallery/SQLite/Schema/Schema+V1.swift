import GRDB

extension Schema {
    /// AUTOINCREMENT, because row numbers are cursors and order ties: one that was deleted must not come back.
    static func createTables(_ db: Database) throws {
        for statement in [gallery, identity, sighting, sightingsByIdentity, image, model, embedding, embeddingsByModel]
        {
            try db.execute(sql: statement)
        }
    }

    private static let gallery = """
        CREATE TABLE gallery (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 64 AND name NOT GLOB '*[^A-Za-z0-9._-]*'),
            label TEXT,
            metadata TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
            created_at INTEGER NOT NULL
        ) STRICT
        """

    private static let identity = """
        CREATE TABLE identity (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            gallery_id INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
            name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 128),
            label TEXT,
            metadata TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            UNIQUE (gallery_id, name),
            UNIQUE (gallery_id, id)
        ) STRICT
        """

    /// The gallery is repeated here so that an idempotency key can be unique in it; the foreign key keeps it true.
    private static let sighting = """
        CREATE TABLE sighting (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            gallery_id INTEGER NOT NULL,
            identity_id INTEGER NOT NULL,
            uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
            camera TEXT CHECK (length(camera) BETWEEN 1 AND 128),
            captured_at INTEGER,
            metadata TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
            created_at INTEGER NOT NULL,
            idempotency_key TEXT,
            fingerprint TEXT,
            CHECK ((idempotency_key IS NULL) = (fingerprint IS NULL)),
            UNIQUE (gallery_id, idempotency_key),
            FOREIGN KEY (gallery_id, identity_id) REFERENCES identity (gallery_id, id) ON DELETE CASCADE
        ) STRICT
        """

    private static let sightingsByIdentity = "CREATE INDEX sighting_of_identity ON sighting (gallery_id, identity_id)"

    private static let image = """
        CREATE TABLE image (
            sighting_id INTEGER NOT NULL REFERENCES sighting (id) ON DELETE CASCADE,
            modality TEXT NOT NULL CHECK (length(modality) BETWEEN 1 AND 32),
            content_type TEXT NOT NULL,
            bytes BLOB NOT NULL,
            PRIMARY KEY (sighting_id, modality)
        ) STRICT
        """

    private static let model = """
        CREATE TABLE model (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            digest TEXT NOT NULL UNIQUE CHECK (length(digest) BETWEEN 1 AND 128),
            dimension INTEGER NOT NULL CHECK (dimension > 0)
        ) STRICT
        """

    private static let embedding = """
        CREATE TABLE embedding (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sighting_id INTEGER NOT NULL REFERENCES sighting (id) ON DELETE CASCADE,
            model_id INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE,
            modalities TEXT NOT NULL CHECK (length(modalities) > 0),
            is_main INTEGER NOT NULL CHECK (is_main IN (0, 1)),
            vector BLOB NOT NULL CHECK (length(vector) > 0 AND length(vector) % 4 = 0),
            UNIQUE (sighting_id, model_id, modalities)
        ) STRICT
        """

    private static let embeddingsByModel = "CREATE INDEX embedding_of_model ON embedding (model_id, sighting_id)"
}
