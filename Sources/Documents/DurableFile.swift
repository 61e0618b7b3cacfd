import Foundation

/// A file operation that the system refused.
public struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried, as the system calls it.
    public let operation: String
    /// The `errno`.
    public let code: Int32

    /// `operation failed: reason (errno code)`.
    public var description: String { "\(operation) failed: \(String(cString: strerror(code))) (errno \(code))" }

    /// Describes a refusal.
    public init(operation: String, code: Int32) { (self.operation, self.code) = (operation, code) }

    fileprivate static func check(_ result: Int32, _ operation: String) throws(FileError) {
        if result < 0 { throw FileError(operation: operation, code: errno) }
    }
}

/// A file that appears whole or not at all: written beside its destination, flushed to the disk, then renamed.
///
/// Whoever reads the destination sees the old contents or the new ones, also after a crash. Unless committed, the
/// temporary file is removed with this value.
public struct DurableFile: ~Copyable {
    private let path: String
    private let temporaryPath: String
    private let descriptor: Int32
    private var isCommitted = false

    /// Begins a file that will replace `path`.
    public init(replacing path: String, mode: mode_t = 0o644) throws(FileError) {
        let url = URL(fileURLWithPath: path)
        // In the same folder, as a rename across file systems is not atomic; unique, as two may write at once.
        let folder = url.deletingLastPathComponent().path
        try self.init(path: path, temporaryPath: "\(folder)/.\(url.lastPathComponent).\(UUID().uuidString).tmp", mode)
    }

    private init(path: String, temporaryPath: String, _ mode: mode_t) throws(FileError) {
        let descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        try FileError.check(descriptor, "create")
        (self.path, self.temporaryPath, self.descriptor) = (path, temporaryPath, descriptor)
    }

    deinit {
        close(descriptor)
        if !isCommitted { unlink(temporaryPath) }
    }

    /// Appends bytes.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError(operation: "write", code: errno) }
            written += count
        }
    }

    /// Puts the file in its place. If this throws, the destination is as it was, unless only the last step failed, which
    /// makes the rename itself durable.
    public consuming func commit() throws(FileError) {
        try FileError.check(fsync(descriptor), "fsync")
        try FileError.check(rename(temporaryPath, path), "rename")
        isCommitted = true
        try Self.syncFolder(of: path)
    }

    /// Replaces what is at `path` by `bytes`.
    public static func write(_ bytes: some Sequence<UInt8>, to path: String) throws(FileError) {
        var file = try DurableFile(replacing: path)
        let bytes = Array(bytes)
        try file.write(bytes)
        try file.commit()
    }

    private mutating func write(_ bytes: [UInt8]) throws(FileError) {
        do {
            try bytes.withUnsafeBytes { buffer in try write(buffer) }
        } catch let error as FileError {
            throw error
        } catch {
            throw FileError(operation: "write", code: EIO)
        }
    }

    /// Gives a finished file another name in place of what has it: flushes it, renames it, and flushes the folder, without
    /// which the new name could be lost.
    public static func move(_ source: String, to path: String) throws(FileError) {
        let file = open(source, O_RDONLY | O_CLOEXEC)
        try FileError.check(file, "open")
        defer { close(file) }
        try FileError.check(fsync(file), "fsync")
        try FileError.check(rename(source, path), "rename")
        try syncFolder(of: path)
    }

    /// Flushes the folder that a path is in: what was renamed, made or removed there stays so.
    public static func syncFolder(of path: String) throws(FileError) {
        let folder = open(
            URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try FileError.check(folder, "open folder")
        defer { close(folder) }
        try FileError.check(fsync(folder), "fsync folder")
    }
}
