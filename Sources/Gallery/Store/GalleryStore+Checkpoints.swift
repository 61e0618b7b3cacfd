import Foundation
import GRDB

/// A checkpoint file that was verified.
public struct CheckpointRecord: Sendable, Equatable {
    /// Its name in the models' folder.
    public let file: String
    /// SHA-256 of its bytes, in hexadecimal: the model's name.
    public let digest: String
    /// Its size.
    public let bytes: Int
    /// When it was changed last, in nanoseconds since 1970.
    public let modifiedAt: Int64
    /// What it holds, a JSON object.
    public let summary: String

    /// A record as given.
    public init(file: String, digest: String, bytes: Int, modifiedAt: Int64, summary: String) {
        (self.file, self.digest, self.bytes) = (file, digest, bytes)
        (self.modifiedAt, self.summary) = (modifiedAt, summary)
    }
}

extension GalleryStore {
    /// Writes a verified file down, in place of what was known under its name.
    public func save(_ checkpoint: CheckpointRecord) async throws {
        try await write { db in
            try db.execute(
                sql: """
                    INSERT OR REPLACE INTO checkpoint (file, digest, bytes, modified_at, summary)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    checkpoint.file, checkpoint.digest, checkpoint.bytes, checkpoint.modifiedAt, checkpoint.summary,
                ])
        }
    }

    /// Every verified file, by name.
    public func checkpoints() async throws -> [CheckpointRecord] {
        try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM checkpoint ORDER BY file").map {
                CheckpointRecord(
                    file: $0["file"], digest: $0["digest"], bytes: $0["bytes"], modifiedAt: $0["modified_at"],
                    summary: $0["summary"])
            }
        }
    }

    /// Forgets a file. Does nothing if it is not known.
    public func forgetCheckpoint(file: String) async throws {
        try await write { db in try db.execute(sql: "DELETE FROM checkpoint WHERE file = ?", arguments: [file]) }
    }
}
