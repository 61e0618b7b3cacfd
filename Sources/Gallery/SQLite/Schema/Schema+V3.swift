import GRDB

extension Schema {
    /// Counts that are kept rather than counted, erasures that go on in pieces, and jobs that concern no model.
    static func createTallies(_ db: Database) throws {
        let statements =
            [galleryTally, identityTally, coverage, total, modelTally] + fillings + triggers + erasures + views + jobs
        for statement in statements { try db.execute(sql: statement) }
    }

    private static let galleryTally = """
        CREATE TABLE gallery_tally (
            gallery_id INTEGER PRIMARY KEY REFERENCES gallery (id) ON DELETE CASCADE,
            identities INTEGER NOT NULL DEFAULT 0,
            sightings INTEGER NOT NULL DEFAULT 0,
            images INTEGER NOT NULL DEFAULT 0,
            image_bytes INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """

    private static let identityTally = """
        CREATE TABLE identity_tally (
            identity_id INTEGER PRIMARY KEY REFERENCES identity (id) ON DELETE CASCADE,
            sightings INTEGER NOT NULL DEFAULT 0
        ) STRICT
        """

    /// Sightings with a main vector: every sighting that a model has embedded has one.
    private static let coverage = """
        CREATE TABLE coverage (
            gallery_id INTEGER NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
            model_id INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE,
            sightings INTEGER NOT NULL,
            PRIMARY KEY (gallery_id, model_id)
        ) STRICT, WITHOUT ROWID
        """

    private static let total =
        "CREATE TABLE total (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), sightings INTEGER NOT NULL) STRICT"

    private static let modelTally = "ALTER TABLE model ADD COLUMN sightings INTEGER NOT NULL DEFAULT 0"

    private static let fillings = [
        """
        INSERT INTO gallery_tally (gallery_id, identities, sightings)
        SELECT id, (SELECT COUNT(*) FROM identity WHERE gallery_id = gallery.id),
            (SELECT COUNT(*) FROM sighting WHERE gallery_id = gallery.id) FROM gallery
        """,
        """
        UPDATE gallery_tally SET images = kept.images, image_bytes = kept.bytes FROM (
            SELECT s.gallery_id AS gallery, COUNT(*) AS images, SUM(length(i.bytes)) AS bytes
            FROM image i JOIN sighting s ON s.id = i.sighting_id GROUP BY s.gallery_id
        ) AS kept WHERE kept.gallery = gallery_id
        """,
        """
        INSERT INTO identity_tally SELECT id, (
            SELECT COUNT(*) FROM sighting WHERE gallery_id = identity.gallery_id AND identity_id = identity.id
        ) FROM identity
        """,
        """
        INSERT INTO coverage SELECT s.gallery_id, e.model_id, COUNT(*)
        FROM embedding e JOIN sighting s ON s.id = e.sighting_id WHERE e.is_main = 1 GROUP BY s.gallery_id, e.model_id
        """,
        "UPDATE model SET sightings = (SELECT COALESCE(SUM(sightings), 0) FROM coverage WHERE model_id = model.id)",
        "INSERT INTO total SELECT 1, COUNT(*) FROM sighting",
    ]

    /// Cascades run after the parent is gone, when nobody can say any more whose count a row was in. So whatever loses
    /// its parent is deleted before it.
    private static let triggers = [
        """
        CREATE TRIGGER gallery_made AFTER INSERT ON gallery BEGIN
            INSERT INTO gallery_tally (gallery_id) VALUES (NEW.id);
        END
        """,
        """
        CREATE TRIGGER gallery_going BEFORE DELETE ON gallery BEGIN
            DELETE FROM identity WHERE gallery_id = OLD.id;
        END
        """,
        """
        CREATE TRIGGER identity_made AFTER INSERT ON identity BEGIN
            INSERT INTO identity_tally (identity_id) VALUES (NEW.id);
            UPDATE gallery_tally SET identities = identities + 1 WHERE gallery_id = NEW.gallery_id;
        END
        """,
        """
        CREATE TRIGGER identity_going BEFORE DELETE ON identity BEGIN
            DELETE FROM sighting WHERE gallery_id = OLD.gallery_id AND identity_id = OLD.id;
            UPDATE gallery_tally SET identities = identities - 1 WHERE gallery_id = OLD.gallery_id;
        END
        """,
        """
        CREATE TRIGGER sighting_made AFTER INSERT ON sighting BEGIN
            UPDATE total SET sightings = sightings + 1;
            UPDATE gallery_tally SET sightings = sightings + 1 WHERE gallery_id = NEW.gallery_id;
            UPDATE identity_tally SET sightings = sightings + 1 WHERE identity_id = NEW.identity_id;
        END
        """,
        """
        CREATE TRIGGER sighting_going BEFORE DELETE ON sighting BEGIN
            DELETE FROM image WHERE sighting_id = OLD.id;
            DELETE FROM embedding WHERE sighting_id = OLD.id;
            UPDATE total SET sightings = sightings - 1;
            UPDATE gallery_tally SET sightings = sightings - 1 WHERE gallery_id = OLD.gallery_id;
            UPDATE identity_tally SET sightings = sightings - 1 WHERE identity_id = OLD.identity_id;
        END
        """,
        """
        CREATE TRIGGER image_made AFTER INSERT ON image BEGIN
            UPDATE gallery_tally SET images = images + 1, image_bytes = image_bytes + length(NEW.bytes)
            WHERE gallery_id = (SELECT gallery_id FROM sighting WHERE id = NEW.sighting_id);
        END
        """,
        """
        CREATE TRIGGER image_going BEFORE DELETE ON image BEGIN
            UPDATE gallery_tally SET images = images - 1, image_bytes = image_bytes - length(OLD.bytes)
            WHERE gallery_id = (SELECT gallery_id FROM sighting WHERE id = OLD.sighting_id);
        END
        """,
        """
        CREATE TRIGGER embedding_made AFTER INSERT ON embedding WHEN NEW.is_main = 1 BEGIN
            UPDATE model SET sightings = sightings + 1 WHERE id = NEW.model_id;
            INSERT INTO coverage SELECT gallery_id, NEW.model_id, 1 FROM sighting WHERE id = NEW.sighting_id
            ON CONFLICT (gallery_id, model_id) DO UPDATE SET sightings = sightings + 1;
        END
        """,
        """
        CREATE TRIGGER embedding_going BEFORE DELETE ON embedding WHEN OLD.is_main = 1 BEGIN
            UPDATE model SET sightings = sightings - 1 WHERE id = OLD.model_id;
            UPDATE coverage SET sightings = sightings - 1 WHERE model_id = OLD.model_id
                AND gallery_id = (SELECT gallery_id FROM sighting WHERE id = OLD.sighting_id);
        END
        """,
    ]

    /// What was erased and is not deleted yet. What hangs on it is as gone as it is.
    private static let erasures = ["gallery", "identity", "model"].map {
        "CREATE TABLE erased_\($0) (\($0)_id INTEGER PRIMARY KEY REFERENCES \($0) (id) ON DELETE CASCADE) STRICT"
    }

    /// All reading goes through these.
    private static let views = [
        "CREATE VIEW live_gallery AS SELECT * FROM gallery WHERE id NOT IN (SELECT gallery_id FROM erased_gallery)",
        "CREATE VIEW live_identity AS SELECT * FROM identity WHERE id NOT IN (SELECT identity_id FROM erased_identity)",
        "CREATE VIEW live_model AS SELECT * FROM model WHERE id NOT IN (SELECT model_id FROM erased_model)",
        """
        CREATE VIEW live_sighting AS SELECT * FROM sighting
        WHERE gallery_id NOT IN (SELECT gallery_id FROM erased_gallery)
            AND identity_id NOT IN (SELECT identity_id FROM erased_identity)
        """,
    ]

    private static let jobs = [
        """
        CREATE TABLE job_3 (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            uuid TEXT NOT NULL UNIQUE CHECK (length(uuid) = 36),
            kind TEXT NOT NULL,
            model TEXT,
            state TEXT NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled')),
            done INTEGER NOT NULL,
            total INTEGER NOT NULL,
            reason TEXT,
            result TEXT CHECK (json_type(result) = 'object'),
            created_at INTEGER NOT NULL,
            started_at INTEGER,
            updated_at INTEGER NOT NULL
        ) STRICT
        """,
        """
        INSERT INTO job_3
        SELECT id, uuid, kind, model, state, done, total, reason, result, created_at, created_at, updated_at FROM job
        """,
        "DROP TABLE job",
        "ALTER TABLE job_3 RENAME TO job",
        "CREATE INDEX job_unfinished ON job (id) WHERE state = 'running'",
    ]
}
