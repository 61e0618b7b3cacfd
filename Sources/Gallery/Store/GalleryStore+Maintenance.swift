import Foundation
import GRDB

extension GalleryStore {
    /// Writes a consistent copy of the whole database while it stays in use. The copy is on the disk before it takes its
    /// name, so a file of that name is always a whole one; an earlier one is replaced.
    public func backup(to path: String) async throws {
        try await GalleryError.translating {
            let temporary = "\(path).\(UUID().uuidString).partial"
            defer { try? FileManager.default.removeItem(atPath: temporary) }
            try await pool.read { db in
                let copy = try DatabaseQueue(path: temporary)
                try copy.writeWithoutTransaction { target in
                    try db.backup(to: target)
                    // The copy needs no log beside it.
                    try target.execute(sql: "PRAGMA journal_mode = DELETE")
                }
                try copy.close()
            }
            try await threads.run { try Self.publish(temporary, as: path) }
        }
    }

    /// Syncs a file, renames it and syncs the directory, without which the new name could be lost.
    private static func publish(_ temporary: String, as path: String) throws {
        try sync(temporary)
        guard rename(temporary, path) == 0 else {
            throw GalleryError.storage("cannot rename the backup to \(path): \(String(cString: strerror(errno)))")
        }
        try sync(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }

    private static func sync(_ path: String) throws {
        let descriptor = Foundation.open(path, O_RDONLY)
        defer { if descriptor >= 0 { _ = Foundation.close(descriptor) } }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw GalleryError.storage("cannot sync \(path): \(String(cString: strerror(errno)))")
        }
    }

    /// Checks every page, constraint and foreign key. Throws `.storage` with what is broken. O(size of the database).
    public func checkIntegrity() async throws {
        try await read { db in
            let findings = try String.fetchAll(db, sql: "PRAGMA integrity_check")
            guard findings == ["ok"] else {
                throw GalleryError.storage("integrity: \(findings.prefix(10).joined(separator: "; "))")
            }
            let dangling = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count
            guard dangling == 0 else { throw GalleryError.storage("integrity: \(dangling) dangling references") }
        }
    }

    /// SQLite's `synchronous` level on the connection that writes: 2 (FULL) syncs the log at every commit.
    package func durability() async throws -> Int {
        try await GalleryError.translating {
            try await pool.writeWithoutTransaction { try Row.only($0, "PRAGMA synchronous", [])[0] }
        }
    }

    /// Gives the pages of what was erased back to the file system and empties the log, which still has what was written
    /// before. An erasure is complete in the database whether or not this gets through: another connection that reads
    /// an old state can keep the log from being emptied, then the next erasure or opening does it.
    func reclaim() async {
        try? await pool.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA incremental_vacuum")
            _ = try db.checkpoint(.truncate)
        }
    }
}
