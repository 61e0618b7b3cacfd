import Documents
import Foundation
import GRDB

/// Where a database is: its own file, and beside it those of SQLite, the lock and the reserve. All are for their owner
/// alone.
struct DatabaseFiles: Sendable {
    /// Of the file itself, whatever links lead to it: SQLite keeps the log beside that, so the lock must be there too.
    let path: String

    /// Follows links. Throws `GalleryError.storage` if there is no such folder.
    init(_ given: String) throws(GalleryError) {
        var path = given
        for _ in 0..<40 {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
                let folder = Self.folder(of: path)
                guard let real = realpath(folder, nil) else {
                    throw .storage("\(folder): \(String(cString: strerror(errno)))")
                }
                defer { free(real) }
                self.path =
                    URL(fileURLWithPath: String(cString: real))
                    .appendingPathComponent(URL(fileURLWithPath: path).lastPathComponent).path
                return
            }
            path = target.hasPrefix("/") ? target : "\(Self.folder(of: path))/\(target)"
        }
        throw .storage("\(given): too many symbolic links")
    }

    private static func folder(of path: String) -> String {
        URL(fileURLWithPath: path).deletingLastPathComponent().path
    }

    /// Whether there is a file. Throws for one that can be no database, before anything is written.
    func exists() throws(GalleryError) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return false }
            throw .storage("\(path): \(String(cString: strerror(errno)))")
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .notADatabase("\(path) is a directory") }
        guard status.st_size > 0 else {
            throw .notADatabase(
                "\(path) is empty. Restore a backup; to begin anew, remove it together with \(path)-wal and \(path)-shm"
            )
        }
        guard status.st_nlink < 2 else {
            throw .storage(
                "\(path) has \(status.st_nlink) names. SQLite keeps the log beside the name that it is given, so opening "
                    + "it by two would destroy it: remove the other hard links")
        }
        return true
    }

    /// Takes the rights of others away from what an earlier release, or another program, made for all to read. Files of
    /// another user stay as they are.
    func makePrivate() {
        for suffix in ["", "-wal", "-shm", "-journal", "-lock", "-reserve", "-commits"] {
            var status = stat()
            guard stat(path + suffix, &status) == 0, status.st_mode & 0o077 != 0 else { continue }
            chmod(path + suffix, 0o600)
        }
    }

    /// Makes an empty file that only its owner can read; SQLite gives the files beside it the same rights.
    static func createPrivate(_ path: String) throws(FileError) {
        let file = Foundation.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileError(operation: "create \(path)", code: errno) }
        close(file)
    }

    /// Writes a consistent copy of a whole database, in one read of it. The copy is on the disk before it takes its name, so
    /// a file of that name is always a whole one; an earlier one is replaced. Throws `DatabaseError` or `FileError`; then
    /// nothing is left of it.
    static func copy(_ db: Database, to path: String) throws {
        let temporary = "\(path).\(UUID().uuidString).partial"
        defer { for suffix in ["", "-journal"] { unlink(temporary + suffix) } }
        try createPrivate(temporary)
        let copy = try DatabaseQueue(path: temporary)
        try copy.writeWithoutTransaction { target in
            try db.backup(to: target)
            // The copy needs no log beside it.
            try target.execute(sql: "PRAGMA journal_mode = DELETE")
        }
        try copy.close()
        try DurableFile.move(temporary, to: path)
    }

    /// Bytes that the file system of the database has left for it.
    var freeBytes: Int {
        var status = statvfs()
        guard statvfs(Self.folder(of: path), &status) == 0 else { return 0 }
        return Int(status.f_bavail) * Int(status.f_frsize)
    }
}
