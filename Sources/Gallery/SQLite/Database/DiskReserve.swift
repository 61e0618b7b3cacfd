import Foundation
import Synchronization

/// A file beside the database that takes room for nothing, to be given up when an erasure or a start meets a full disk:
/// both must write before they can free anything.
final class DiskReserve: Sendable {
    /// What is worth keeping.
    private static let least = 1 << 16

    private let files: DatabaseFiles
    private let bytes: Int
    private let lock = Mutex(())

    /// A reserve of so many bytes; none if 0. It is not there before `restore`.
    init(_ files: DatabaseFiles, bytes: Int) {
        (self.files, self.bytes) = (files, bytes)
    }

    private var path: String { files.path + "-reserve" }

    /// Gives the room back. False if there was none.
    @discardableResult func release() -> Bool {
        lock.withLock { _ in unlink(path) == 0 }
    }

    /// Takes the room again, as much as is wanted but never more than half of what is free. Does nothing if that fails.
    func restore() {
        if bytes == 0 {
            release()
            return
        }
        lock.withLock { _ in
            var status = stat()
            let present = stat(path, &status) == 0 ? Int(status.st_size) : 0
            let wanted = min(bytes, present + files.freeBytes / 2)
            guard wanted > present, wanted >= Self.least else { return }
            let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            guard file >= 0 else { return }
            defer { close(file) }
            if posix_fallocate(file, 0, off_t(wanted)) != 0 { unlink(path) }
        }
    }
}
