import Crypto
import Foundation
import GRDB

/// Digests of what is written once and must stay as it is, to find what a disk or another program changed: sixteen bytes of
/// SHA-256 a row, in tables of their own. What a later correction may change, such as whose sighting it is, is not in them.
enum RowDigest {
    /// Of a sighting as it is in the database, with its images.
    static func sighting(_ id: Int64, _ db: Database) throws -> Data? {
        // All columns, for a migration digests sightings before they have boxes.
        let statement = try db.cachedStatement(sql: "SELECT * FROM sighting WHERE id = ?")
        guard let row = try Row.fetchOne(statement, arguments: [id]) else { return nil }
        var hash = Hash()
        let (camera, capturedAt): (String?, Int64?) = (row["camera"], row["captured_at"])
        let (uuid, metadata, createdAt): (String, String, Int64) = (row["uuid"], row["metadata"], row["created_at"])
        for text in [uuid, camera ?? "", capturedAt.map { "\($0)" } ?? "", metadata, "\(createdAt)"] {
            hash.add(Data(text.utf8))
        }
        let images = try Row.fetchCursor(
            db.cachedStatement(
                sql: "SELECT modality, content_type, bytes FROM image WHERE sighting_id = ? ORDER BY modality"),
            arguments: [id])
        while let image = try images.next() {
            hash.add(Data((image[0] as String).utf8))
            hash.add(Data((image[1] as String).utf8))
            hash.add(image[2])
        }
        // Only if there are any, so that digests of earlier releases stay true.
        if let boxes: String = row["boxes"] { hash.add(Data(boxes.utf8)) }
        return hash.value
    }

    static func embedding(_ stored: StoredVectors) -> Data {
        var hash = Hash()
        hash.add(Data(stored.modalities.utf8))
        hash.add(Data([stored.isFused ? 1 : 0]))
        hash.add(stored.bytes)
        return hash.value
    }

    /// Writes down a sighting that was inserted whole.
    static func keep(sighting id: Int64, _ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO sighting_digest VALUES (?, ?)", arguments: [id, sighting(id, db)])
    }

    /// Writes down an embedding that was inserted or changed.
    static func keep(embedding id: Int64, _ stored: StoredVectors, _ db: Database) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO embedding_digest VALUES (?, ?)")
            .execute(arguments: [id, embedding(stored)])
    }

    private struct Hash {
        private var state = SHA256()

        mutating func add(_ bytes: Data) {
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { state.update(bufferPointer: $0) }
            state.update(data: bytes)
        }

        var value: Data { Data(state.finalize().prefix(16)) }
    }
}

extension Schema {
    static func createDigests(_ db: Database) throws {
        for statement in digests { try db.execute(sql: statement) }
        let sightings = try Int64.fetchCursor(db, sql: "SELECT id FROM live_sighting")
        while let id = try sightings.next() { try RowDigest.keep(sighting: id, db) }
        let embeddings = try Row.fetchCursor(db, sql: "SELECT id, modalities, is_fused, vectors FROM embedding")
        while let row = try embeddings.next() {
            try RowDigest.keep(
                embedding: row[0], StoredVectors(modalities: row[1], isFused: row[2], bytes: row[3]), db)
        }
    }

    private static let digests = [
        "CREATE TABLE sighting_digest (sighting_id INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT",
        "CREATE TABLE embedding_digest (embedding_id INTEGER PRIMARY KEY, digest BLOB NOT NULL) STRICT",
        """
        CREATE TRIGGER sighting_digest_going AFTER DELETE ON sighting BEGIN
            DELETE FROM sighting_digest WHERE sighting_id = OLD.id;
        END
        """,
        """
        CREATE TRIGGER embedding_digest_going AFTER DELETE ON embedding BEGIN
            DELETE FROM embedding_digest WHERE embedding_id = OLD.id;
        END
        """,
        "ALTER TABLE total ADD COLUMN commits INTEGER NOT NULL DEFAULT 0",
    ]
}
