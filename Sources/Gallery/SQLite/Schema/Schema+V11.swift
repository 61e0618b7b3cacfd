import GRDB

extension Schema {
    /// What sorted lists are read by, and when each identity was seen last: beside its count, as that is kept for what is listed.
    static func createLists(_ db: Database) throws {
        for statement in lists + lastSeen { try db.execute(sql: statement) }
    }

    /// When a sighting was seen, or else enrolled.
    private static let seen = "COALESCE(captured_at, created_at)"

    private static let lists = [
        "DROP INDEX identity_by_label",
        // With those that have none, by their rows.
        "CREATE INDEX identity_by_label ON identity (gallery_id, label)",
        "CREATE INDEX sighting_of_gallery ON sighting (gallery_id)",
        "CREATE INDEX sighting_captured ON sighting (gallery_id, captured_at) WHERE captured_at IS NOT NULL",
        "CREATE INDEX sighting_seen ON sighting (identity_id, \(seen))",
        "ALTER TABLE identity_tally ADD COLUMN gallery_id INTEGER",
        "ALTER TABLE identity_tally ADD COLUMN last_seen INTEGER",
        "UPDATE identity_tally SET gallery_id = (SELECT gallery_id FROM identity WHERE id = identity_id)",
        "UPDATE identity_tally SET last_seen = (\(latest(of: "identity_tally.identity_id")))",
        "CREATE INDEX identity_by_last_seen ON identity_tally (gallery_id, last_seen) WHERE last_seen IS NOT NULL",
        "DROP TRIGGER identity_made",
        """
        CREATE TRIGGER identity_made AFTER INSERT ON identity BEGIN
            INSERT INTO identity_tally (identity_id, gallery_id) VALUES (NEW.id, NEW.gallery_id);
            UPDATE gallery_tally SET identities = identities + 1 WHERE gallery_id = NEW.gallery_id;
        END
        """,
    ]

    /// A last time that goes leaves the one before it, which the index has: nothing depends on how many there are.
    private static let lastSeen = [
        """
        CREATE TRIGGER sighting_seen AFTER INSERT ON sighting BEGIN \(raise(to: "NEW")) END
        """,
        """
        CREATE TRIGGER sighting_unseen AFTER DELETE ON sighting BEGIN \(lower(from: "OLD")) END
        """,
        """
        CREATE TRIGGER sighting_seen_otherwise AFTER UPDATE OF identity_id, captured_at ON sighting
            WHEN NEW.id NOT IN (SELECT sighting_id FROM erased_sighting) BEGIN
            \(lower(from: "OLD"))
            \(raise(to: "NEW"))
        END
        """,
        """
        CREATE TRIGGER sighting_hidden AFTER INSERT ON erased_sighting BEGIN
            UPDATE identity_tally SET last_seen = (\(latest(of: "identity_tally.identity_id", before: "last_seen")))
            WHERE (identity_id, last_seen) = (SELECT identity_id, \(seen) FROM sighting WHERE id = NEW.sighting_id);
        END
        """,
    ]

    private static func raise(to row: String) -> String {
        """
        UPDATE identity_tally SET last_seen = COALESCE(\(row).captured_at, \(row).created_at)
        WHERE identity_id = \(row).identity_id
            AND COALESCE(last_seen < COALESCE(\(row).captured_at, \(row).created_at), 1);
        """
    }

    private static func lower(from row: String) -> String {
        """
        UPDATE identity_tally SET last_seen = (\(latest(of: "\(row).identity_id", before: "last_seen")))
        WHERE identity_id = \(row).identity_id AND last_seen = COALESCE(\(row).captured_at, \(row).created_at);
        """
    }

    /// The last time of an identity's sightings that are not erased, or of those until a time.
    static func latest(of identity: String, before time: String? = nil) -> String {
        """
        SELECT \(seen) FROM sighting s WHERE identity_id = \(identity) \(time.map { "AND \(seen) <= \($0)" } ?? "")
            AND id NOT IN (SELECT sighting_id FROM erased_sighting) ORDER BY \(seen) DESC LIMIT 1
        """
    }
}
