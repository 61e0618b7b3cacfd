import Foundation
import GRDB

extension Schema {
    /// One row for what a model made of a sighting: a vector a modality, of which those of any set of them are made. Before,
    /// the vector of each set had a row of its own.
    static func createEmbeddings(_ db: Database) throws {
        for statement in spaces + removal + [embedding] { try db.execute(sql: statement) }
        try EarlierVectors(db).convert()
        for statement in ["DROP TABLE embedding_3"] + byModel + counting { try db.execute(sql: statement) }
    }

    private static let spaces = [
        "ALTER TABLE model ADD COLUMN combination TEXT CHECK (combination IN ('sum', 'blocks'))",
        "ALTER TABLE model ADD COLUMN modalities TEXT CHECK ((modalities IS NULL) = (combination IS NULL))",
    ]

    /// Triggers that name a table would follow it under its new name.
    private static let removal = [
        "DROP TRIGGER sighting_going", "DROP TRIGGER embedding_made", "DROP TRIGGER embedding_going",
        "DROP INDEX embedding_of_model", "ALTER TABLE embedding RENAME TO embedding_3",
    ]

    /// The modalities are sorted names. Each has a vector of the same length, one after the other, as the encoder gave them;
    /// but one that is fused is a single vector of them all, of unit length.
    private static let embedding = """
        CREATE TABLE embedding (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sighting_id INTEGER NOT NULL REFERENCES sighting (id) ON DELETE CASCADE,
            model_id INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE,
            modalities TEXT NOT NULL CHECK (length(modalities) > 0),
            is_fused INTEGER NOT NULL CHECK (is_fused IN (0, 1)),
            vectors BLOB NOT NULL CHECK (length(vectors) > 0 AND length(vectors) % 4 = 0),
            UNIQUE (sighting_id, model_id)
        ) STRICT
        """

    private static let byModel = [
        "CREATE INDEX embedding_of_model ON embedding (model_id, sighting_id)",
        "CREATE INDEX embedding_fused ON embedding (model_id, sighting_id) WHERE is_fused = 1",
    ]

    private static let counting = [
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
        CREATE TRIGGER embedding_made AFTER INSERT ON embedding BEGIN
            UPDATE model SET sightings = sightings + 1 WHERE id = NEW.model_id;
            INSERT INTO coverage SELECT gallery_id, NEW.model_id, 1 FROM sighting WHERE id = NEW.sighting_id
            ON CONFLICT (gallery_id, model_id) DO UPDATE SET sightings = sightings + 1;
        END
        """,
        """
        CREATE TRIGGER embedding_going BEFORE DELETE ON embedding BEGIN
            UPDATE model SET sightings = sightings - 1 WHERE id = OLD.model_id;
            UPDATE coverage SET sightings = sightings - 1 WHERE model_id = OLD.model_id
                AND gallery_id = (SELECT gallery_id FROM sighting WHERE id = OLD.sighting_id);
        END
        """,
    ]
}
