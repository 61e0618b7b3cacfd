import Crypto
import Foundation

/// Digests of what is written once and must stay as it is, to find what a disk or another program changed: sixteen bytes of
/// SHA-256 a row, in tables of their own. What a later correction may change, such as whose sighting it is, is not in them.
enum RowDigest {
    /// Of a sighting as it is in the database, with its images.
    static func sighting(_ id: Int64, _ db: any SQLSession) throws -> Data? {
        // All columns, for a migration digests sightings before they have boxes.
        guard let row = try db.first("SELECT * FROM sighting WHERE id = ?", [id]) else { return nil }
        var hash = Hash()
        let (camera, capturedAt): (String?, Int64?) = (row["camera"], row["captured_at"])
        let (uuid, metadata, createdAt): (String, String, Int64) = (row["uuid"], row["metadata"], row["created_at"])
        for text in [uuid, camera ?? "", capturedAt.map { "\($0)" } ?? "", metadata, "\(createdAt)"] {
            hash.add(Data(text.utf8))
        }
        let images = "SELECT modality, content_type, bytes FROM image WHERE sighting_id = ? ORDER BY modality"
        try db.forEach(images, [id]) { image in
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
    static func keep(sighting id: Int64, _ db: any SQLSession) throws {
        try keep("sighting", id, sighting(id, db), db)
    }

    /// Writes down an embedding that was inserted or changed.
    static func keep(embedding id: Int64, _ stored: StoredVectors, _ db: any SQLSession) throws {
        try keep("embedding", id, embedding(stored), db)
    }

    private static func keep(_ owner: String, _ id: Int64, _ digest: Data?, _ db: any SQLSession) throws {
        try db.execute(
            """
            INSERT INTO \(owner)_digest (\(owner)_id, digest) VALUES (?, ?)
            ON CONFLICT (\(owner)_id) DO UPDATE SET digest = excluded.digest
            """, [id, digest])
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
