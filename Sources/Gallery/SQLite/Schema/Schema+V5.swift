import GRDB

extension Schema {
    /// Metadata by key and value, so that a filter reads no more than it selects.
    static func createFields(_ db: Database) throws {
        for statement in fields(of: "sighting") + fields(of: "identity") { try db.execute(sql: statement) }
        try db.execute(sql: "CREATE INDEX identity_by_label ON identity (gallery_id, label) WHERE label IS NOT NULL")
    }

    /// A row a value. Triggers keep them true, whoever writes.
    private static func fields(of owner: String) -> [String] {
        [
            """
            CREATE TABLE \(owner)_field (
                gallery_id INTEGER NOT NULL,
                key TEXT NOT NULL,
                value ANY NOT NULL,
                \(owner)_id INTEGER NOT NULL,
                PRIMARY KEY (gallery_id, key, value, \(owner)_id)
            ) STRICT, WITHOUT ROWID
            """,
            "CREATE INDEX \(owner)_field_of ON \(owner)_field (\(owner)_id)",
            "INSERT INTO \(owner)_field \(fieldValues(of: owner))",
            """
            CREATE TRIGGER \(owner)_field_made AFTER INSERT ON \(owner) WHEN NEW.metadata <> '{}' BEGIN
                INSERT INTO \(owner)_field \(values("NEW.gallery_id", "NEW.id", "json_each(NEW.metadata) j"));
            END
            """,
            """
            CREATE TRIGGER \(owner)_field_changed AFTER UPDATE OF metadata ON \(owner) BEGIN
                DELETE FROM \(owner)_field WHERE \(owner)_id = OLD.id;
                INSERT INTO \(owner)_field \(values("NEW.gallery_id", "NEW.id", "json_each(NEW.metadata) j"));
            END
            """,
            """
            CREATE TRIGGER \(owner)_field_going BEFORE DELETE ON \(owner) WHEN OLD.metadata <> '{}' BEGIN
                DELETE FROM \(owner)_field WHERE \(owner)_id = OLD.id;
            END
            """,
        ]
    }

    /// What the index of metadata holds.
    static func fieldValues(of owner: String) -> String {
        values("o.gallery_id", "o.id", "\(owner) o, json_each(o.metadata) j")
    }

    /// JSON's true and 1 are different values; so they are kept as a byte string and a number.
    private static func values(_ gallery: String, _ owner: String, _ source: String) -> String {
        """
        SELECT \(gallery), j.key, CASE j.type WHEN 'text' THEN j.atom WHEN 'true' THEN x'01' WHEN 'false' THEN x'00'
            ELSE CAST(j.atom AS REAL) END, \(owner)
        FROM \(source) WHERE j.type IN ('text', 'true', 'false', 'integer', 'real')
        """
    }
}

extension Schema {
    /// Sightings that were erased and are not deleted yet, and how long a gallery keeps any.
    static func createErasedSightings(_ db: Database) throws {
        for statement in erasedSightings { try db.execute(sql: statement) }
    }

    private static let erasedSightings = [
        "ALTER TABLE gallery ADD COLUMN retention_days INTEGER CHECK (retention_days BETWEEN 1 AND 36500)",
        "CREATE TABLE erased_sighting (sighting_id INTEGER PRIMARY KEY REFERENCES sighting (id) ON DELETE CASCADE) STRICT",
        "DROP VIEW live_sighting",
        """
        CREATE VIEW live_sighting AS SELECT * FROM sighting
        WHERE gallery_id NOT IN (SELECT gallery_id FROM erased_gallery)
            AND identity_id NOT IN (SELECT identity_id FROM erased_identity)
            AND id NOT IN (SELECT sighting_id FROM erased_sighting)
        """,
    ]
}
