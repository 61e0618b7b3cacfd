import Crypto
import Foundation

/// A file that appears whole or not at all: written beside its destination, flushed to the disk, then renamed.
///
/// Whoever reads the destination sees the old contents or the new ones, also after a crash. Unless committed, the
/// temporary file is removed with this value.
struct AtomicFile: ~Copyable {
    private let path: String
    private let temporaryPath: String
    private let folder: String
    private let descriptor: Int32
    private var hash = SHA256()
    private var isCommitted = false

    /// Begins a file that will replace `path`.
    ///
    /// Throws `CheckpointError.Reason`.
    init(replacing path: String) throws {
        let url = URL(fileURLWithPath: path)
        let folder = url.deletingLastPathComponent().path
        // In the same folder, as a rename across file systems is not atomic; unique, as two may write at once.
        let temporaryPath = "\(folder)/.\(url.lastPathComponent).\(UUID().uuidString).tmp"
        let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw CheckpointError.Reason.system(operation: "create", code: errno) }
        self.path = path
        self.folder = folder
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        if !isCommitted { unlink(temporaryPath) }
    }

    /// Appends bytes.
    mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bufferPointer: bytes)
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw CheckpointError.Reason.system(operation: "write", code: errno) }
            written += count
        }
    }

    /// Puts the file in its place, and returns the SHA-256 of its bytes in hexadecimal.
    ///
    /// Throws `CheckpointError.Reason`; the destination is then as it was, unless only the last step failed, which makes
    /// the rename itself durable.
    consuming func commit() throws -> String {
        try Self.check(fsync(descriptor), "fsync")
        try Self.check(rename(temporaryPath, path), "rename")
        isCommitted = true
        let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try Self.check(directory, "open folder")
        defer { close(directory) }
        try Self.check(fsync(directory), "fsync folder")
        return hash.finalize().hexadecimal
    }

    private static func check(_ result: Int32, _ operation: String) throws {
        if result < 0 { throw CheckpointError.Reason.system(operation: operation, code: errno) }
    }
}
