import Documents
import Foundation
import GRDB

/// Puts a backup in the place of a database that no server has open.
///
/// What was erased since the backup was made is in it, and must not come back unasked: sightings that the database in place does
/// not have any more are left out, with the identities and galleries that had no others. The database in place is kept beside
/// the restored one.
public struct GalleryRestore: Sendable {
    /// What a restore would bring back, or has left out.
    public struct Erased: Sendable, Equatable {
        /// Sightings that the backup has and the database in place has not.
        public let count: Int
        /// The first hundred, as gallery, identity and identifier.
        public let first: [String]
    }

    /// What is restored.
    public let backup: GalleryBackup
    /// Where it goes.
    public let path: String
    /// Where its models go.
    public let models: String

    /// A restore of a backup to a database's path and its folder of models.
    public init(_ backup: GalleryBackup, to path: String, models: String) {
        (self.backup, self.path, self.models) = (backup, path, models)
    }

    /// Where the database that is in place will be.
    public var replaced: String { path + ".replaced" }

    /// What it would bring back; nil if there is no database in place to tell. Throws `GalleryError.storage` if there is one that
    /// cannot be read.
    public func erased() throws -> Erased? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            let queue = try DatabaseQueue(path: backup.database, configuration: Self.readOnly)
            defer { try? queue.close() }
            return try queue.writeWithoutTransaction { db in
                try db.execute(sql: "ATTACH DATABASE ? AS present", arguments: [path])
                let count = try Int.fetchOne(db, sql: "SELECT COUNT(*) \(Self.missing)") ?? 0
                let first = try String.fetchAll(
                    db, sql: "SELECT g.name || '/' || i.name || '/' || s.uuid \(Self.missing) ORDER BY s.id LIMIT 100")
                return Erased(count: count, first: first)
            }
        } catch let error as DatabaseError {
            throw GalleryError.storage(
                "\(path) cannot be read (\(error.message ?? "\(error.resultCode)")), so what was erased since the backup is not "
                    + "known, and would come back")
        }
    }

    /// Verifies the backup and puts it in place.
    ///
    /// - Parameter bringsBack: whether what was erased since comes back.
    /// - Returns: what was left out or has come back; nil if that cannot be known.
    /// - Throws: `GalleryError.inUse` if a server has the database, or `.storage`; then everything is as it was, but
    ///   for models that were added.
    @discardableResult
    public func run(bringingBack bringsBack: Bool) throws -> Erased? {
        try GalleryError.translating {
            let manifest = try backup.verify()
            let files = try DatabaseFiles(path)
            let ownership = try DatabaseOwnership(of: files, given: path)
            defer { ownership.release() }
            let erased = bringsBack ? (try? erased()) ?? nil : try erased()
            let draft = "\(files.path).\(UUID().uuidString).new"
            defer { for suffix in ["", "-journal", "-wal", "-shm"] { unlink(draft + suffix) } }
            try FileDigest.copy(backup.database, to: draft, expecting: manifest.database)
            if let erased, erased.count > 0, !bringsBack { try leaveOut(draft, present: files.path) }
            if mkdir(models, 0o700) != 0 && errno != EEXIST {
                throw FileError(operation: "make \(models)", code: errno)
            }
            for model in manifest.models where (try? FileDigest.of("\(models)/\(model.file)")) != model.digest {
                try FileDigest.copy(
                    "\(backup.models)/\(model.file)", to: "\(models)/\(model.file)", expecting: model.digest)
            }
            try replace(files, by: draft)
            return erased
        }
    }

    /// Of the backup's sightings, those that the database in place has not.
    private static let missing = """
        FROM main.sighting s JOIN main.identity i ON i.id = s.identity_id JOIN main.gallery g ON g.id = s.gallery_id
        WHERE s.gallery_id NOT IN (SELECT gallery_id FROM main.erased_gallery)
            AND s.identity_id NOT IN (SELECT identity_id FROM main.erased_identity)
            AND NOT EXISTS (SELECT 1 FROM present.sighting p WHERE p.uuid = s.uuid
                AND p.gallery_id NOT IN (SELECT gallery_id FROM present.erased_gallery)
                AND p.identity_id NOT IN (SELECT identity_id FROM present.erased_identity))
        """

    private static var readOnly: Configuration {
        var options = Configuration()
        options.readonly = true
        return options
    }

    private func leaveOut(_ draft: String, present: String) throws {
        let queue = try DatabaseQueue(path: draft)
        defer { try? queue.close() }
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA secure_delete = ON")
            try db.execute(sql: "ATTACH DATABASE ? AS present", arguments: [present])
            try db.inTransaction {
                try db.execute(sql: "DELETE FROM main.sighting WHERE id IN (SELECT s.id \(Self.missing))")
                try db.execute(
                    sql: """
                        DELETE FROM main.identity WHERE id IN (SELECT identity_id FROM main.identity_tally WHERE sightings = 0)
                            AND NOT EXISTS (
                                SELECT 1 FROM present.identity p JOIN present.gallery q ON q.id = p.gallery_id
                                WHERE p.name = main.identity.name
                                    AND q.name = (SELECT name FROM main.gallery WHERE id = main.identity.gallery_id))
                        """)
                try db.execute(
                    sql: """
                        DELETE FROM main.gallery WHERE NOT EXISTS (SELECT 1 FROM main.identity WHERE gallery_id = main.gallery.id)
                            AND NOT EXISTS (SELECT 1 FROM present.gallery p WHERE p.name = main.gallery.name)
                        """)
                return .commit
            }
            try db.execute(sql: "DETACH DATABASE present")
        }
    }

    /// The old one is whole under its new name before the new one takes its place.
    private func replace(_ files: DatabaseFiles, by draft: String) throws {
        if FileManager.default.fileExists(atPath: files.path) {
            // What is in the log belongs to it; one that cannot be opened keeps its log beside it.
            if let queue = try? DatabaseQueue(path: files.path) {
                try? queue.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
                try? queue.close()
            }
            for suffix in ["-wal", "-shm"] where FileManager.default.fileExists(atPath: files.path + suffix) {
                rename(files.path + suffix, replaced + suffix)
            }
            try DurableFile.move(files.path, to: replaced)
        }
        // It counts its commits anew.
        unlink(files.path + "-commits")
        try DurableFile.move(draft, to: files.path)
    }
}
