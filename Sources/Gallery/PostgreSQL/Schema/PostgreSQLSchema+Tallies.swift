extension PostgreSQLSchema {
    /// Counts that are kept rather than counted, and erasures that go on in pieces.
    static let tallies = counts + erasures + going + coming + lastSeen

    /// `last_commit` names the last transaction, to know of one whose answer was lost whether it was committed.
    private static let counts = [
        """
        CREATE TABLE total (
            only_row bigint PRIMARY KEY CHECK (only_row = 1),
            sightings bigint NOT NULL,
            commits bigint NOT NULL,
            last_commit text
        )
        """,
        "INSERT INTO total VALUES (1, 0, 0, NULL)",
        """
        CREATE TABLE gallery_tally (
            gallery_id bigint PRIMARY KEY REFERENCES gallery (id) ON DELETE CASCADE,
            identities bigint NOT NULL DEFAULT 0,
            sightings bigint NOT NULL DEFAULT 0,
            images bigint NOT NULL DEFAULT 0,
            image_bytes bigint NOT NULL DEFAULT 0
        )
        """,
        """
        CREATE TABLE identity_tally (
            identity_id bigint PRIMARY KEY REFERENCES identity (id) ON DELETE CASCADE,
            sightings bigint NOT NULL DEFAULT 0,
            gallery_id bigint,
            last_seen bigint
        )
        """,
        """
        CREATE INDEX identity_by_last_seen ON identity_tally (gallery_id, last_seen, identity_id)
        WHERE last_seen IS NOT NULL
        """,
        """
        CREATE TABLE coverage (
            gallery_id bigint NOT NULL REFERENCES gallery (id) ON DELETE CASCADE,
            model_id bigint NOT NULL REFERENCES model (id) ON DELETE CASCADE,
            sightings bigint NOT NULL,
            PRIMARY KEY (gallery_id, model_id)
        )
        """,
    ]

    /// What was erased and is not deleted yet. What hangs on it is as gone as it is; all reading goes through the views.
    private static let erasures =
        ["gallery", "identity", "model", "sighting"].map {
            "CREATE TABLE erased_\($0) (\($0)_id bigint PRIMARY KEY REFERENCES \($0) (id) ON DELETE CASCADE)"
        } + [
            "CREATE VIEW live_gallery AS SELECT * FROM gallery WHERE id NOT IN (SELECT gallery_id FROM erased_gallery)",
            "CREATE VIEW live_identity AS SELECT * FROM identity WHERE id NOT IN (SELECT identity_id FROM erased_identity)",
            "CREATE VIEW live_model AS SELECT * FROM model WHERE id NOT IN (SELECT model_id FROM erased_model)",
            """
            CREATE VIEW live_sighting AS SELECT * FROM sighting
            WHERE gallery_id NOT IN (SELECT gallery_id FROM erased_gallery)
                AND identity_id NOT IN (SELECT identity_id FROM erased_identity)
                AND id NOT IN (SELECT sighting_id FROM erased_sighting)
            """,
        ]

    /// Cascades run after the parent is gone, when nobody can say any more whose count a row was in. So whatever loses
    /// its parent is deleted before it.
    private static let going =
        trigger("gallery_going", "BEFORE DELETE ON gallery", "DELETE FROM identity WHERE gallery_id = OLD.id;")
        + trigger(
            "identity_going", "BEFORE DELETE ON identity",
            """
            DELETE FROM sighting WHERE gallery_id = OLD.gallery_id AND identity_id = OLD.id;
            UPDATE gallery_tally SET identities = identities - 1 WHERE gallery_id = OLD.gallery_id;
            """)
        + trigger(
            "sighting_going", "BEFORE DELETE ON sighting",
            """
            DELETE FROM image WHERE sighting_id = OLD.id;
            DELETE FROM embedding WHERE sighting_id = OLD.id;
            UPDATE total SET sightings = sightings - 1;
            UPDATE gallery_tally SET sightings = sightings - 1 WHERE gallery_id = OLD.gallery_id;
            UPDATE identity_tally SET sightings = sightings - 1 WHERE identity_id = OLD.identity_id;
            """)
        + trigger(
            "image_going", "BEFORE DELETE ON image",
            """
            UPDATE gallery_tally SET images = images - 1, image_bytes = image_bytes - length(OLD.bytes)
            WHERE gallery_id = (SELECT gallery_id FROM sighting WHERE id = OLD.sighting_id);
            """)
        + trigger(
            "embedding_going", "BEFORE DELETE ON embedding",
            """
            UPDATE model SET sightings = sightings - 1 WHERE id = OLD.model_id;
            UPDATE coverage SET sightings = sightings - 1 WHERE model_id = OLD.model_id
                AND gallery_id = (SELECT gallery_id FROM sighting WHERE id = OLD.sighting_id);
            """)
        + trigger(
            "sighting_gone", "AFTER DELETE ON sighting", "DELETE FROM sighting_digest WHERE sighting_id = OLD.id;")
        + trigger(
            "embedding_gone", "AFTER DELETE ON embedding", "DELETE FROM embedding_digest WHERE embedding_id = OLD.id;")

    private static let coming =
        trigger("gallery_made", "AFTER INSERT ON gallery", "INSERT INTO gallery_tally (gallery_id) VALUES (NEW.id);")
        + trigger(
            "identity_made", "AFTER INSERT ON identity",
            """
            INSERT INTO identity_tally (identity_id, gallery_id) VALUES (NEW.id, NEW.gallery_id);
            UPDATE gallery_tally SET identities = identities + 1 WHERE gallery_id = NEW.gallery_id;
            """)
        + trigger(
            "sighting_made", "AFTER INSERT ON sighting",
            """
            UPDATE total SET sightings = sightings + 1;
            UPDATE gallery_tally SET sightings = sightings + 1 WHERE gallery_id = NEW.gallery_id;
            UPDATE identity_tally SET sightings = sightings + 1 WHERE identity_id = NEW.identity_id;
            \(raise)
            """)
        + trigger(
            "image_made", "AFTER INSERT ON image",
            """
            UPDATE gallery_tally SET images = images + 1, image_bytes = image_bytes + length(NEW.bytes)
            WHERE gallery_id = (SELECT gallery_id FROM sighting WHERE id = NEW.sighting_id);
            """)
        + trigger(
            "embedding_made", "AFTER INSERT ON embedding",
            """
            UPDATE model SET sightings = sightings + 1 WHERE id = NEW.model_id;
            INSERT INTO coverage SELECT gallery_id, NEW.model_id, 1 FROM sighting WHERE id = NEW.sighting_id
            ON CONFLICT (gallery_id, model_id) DO UPDATE SET sightings = coverage.sightings + 1;
            """)
        + trigger(
            "sighting_moved", "AFTER UPDATE OF identity_id ON sighting", when: "OLD.identity_id <> NEW.identity_id",
            """
            UPDATE identity_tally SET sightings = sightings - 1 WHERE identity_id = OLD.identity_id;
            UPDATE identity_tally SET sightings = sightings + 1 WHERE identity_id = NEW.identity_id;
            """)

    /// When a sighting was seen, or else enrolled. A last time that goes leaves the one before it, which an index has.
    private static let lastSeen =
        trigger("sighting_unseen", "AFTER DELETE ON sighting", lower)
        + trigger(
            "sighting_seen_otherwise", "AFTER UPDATE OF identity_id, captured_at ON sighting",
            """
            IF NEW.id NOT IN (SELECT sighting_id FROM erased_sighting) THEN
                \(lower)
                \(raise)
            END IF;
            """)
        + trigger(
            "sighting_hidden", "AFTER INSERT ON erased_sighting",
            """
            UPDATE identity_tally SET last_seen = (\(Schema.latest(of: "identity_tally.identity_id", before: "last_seen")))
            WHERE (identity_id, last_seen) = (
                SELECT identity_id, COALESCE(captured_at, created_at) FROM sighting WHERE id = NEW.sighting_id);
            """)

    private static let raise = """
        UPDATE identity_tally SET last_seen = greatest(last_seen, COALESCE(NEW.captured_at, NEW.created_at))
        WHERE identity_id = NEW.identity_id;
        """

    private static let lower = """
        UPDATE identity_tally SET last_seen = (\(Schema.latest(of: "OLD.identity_id", before: "last_seen")))
        WHERE identity_id = OLD.identity_id AND last_seen = COALESCE(OLD.captured_at, OLD.created_at);
        """
}
