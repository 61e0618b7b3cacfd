import Foundation
import GRDB

extension GalleryStore {
    /// How far the erasures are that have been asked for.
    public var erasure: ErasureStatus { reclaimer.status }

    /// Writes a consistent copy of the whole database while it stays in use; only its owner can read it. The copy is on the
    /// disk before it takes its name, so a file of that name is always a whole one; an earlier one is replaced.
    ///
    /// One read of the database from beginning to end, so what is enrolled meanwhile neither waits nor begins it anew; it
    /// is not in the copy. Throws `.full` or `.storage`; then nothing is left of it.
    public func backup(to path: String) async throws {
        try await read { db in try DatabaseFiles.copy(db, to: path) }
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
}
