import Foundation
import Synchronization

/// Keeps a second process from owning the same database: the index in memory of the first would not learn of what the
/// second enrols.
///
/// A file of its own beside the database, because closing any descriptor of the database's own file would release the
/// locks that SQLite holds on it (SQLite, "How To Corrupt An SQLite Database File", section 2.2). The system releases it
/// with the process, however that ends.
final class DatabaseOwnership: Sendable {
    private let descriptor: Mutex<Int32?>

    /// Takes the ownership of a database. Throws `GalleryError.inUse`, with the path that was `given`, `.full` or `.storage`.
    init(of files: DatabaseFiles, given path: String) throws(GalleryError) {
        let lock = files.path + "-lock"
        let file = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.error(lock, errno) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(file)
            throw reason == EWOULDBLOCK ? .inUse(path) : Self.error(lock, reason)
        }
        descriptor = Mutex(file)
    }

    deinit { release() }

    /// Gives it back; may be called again.
    func release() {
        descriptor.withLock {
            if let file = $0 { close(file) }
            $0 = nil
        }
    }

    private static func error(_ lock: String, _ code: Int32) -> GalleryError {
        code == ENOSPC ? .full : .storage("\(lock): \(String(cString: strerror(code)))")
    }
}
