import Crypto
import Documents
import Foundation

/// A file read once, front to back, and hashed on the way: the digest is that of the very bytes that were read.
///
/// Not a memory mapping: one would be no faster, as tensors copy their scalars anyway, and where another process
/// truncates a mapped file the reader dies of SIGBUS. Here that is an error like any other.
struct InputFile: ~Copyable {
    /// Bytes read and hashed at a time: few enough to be still in the cache for the hash.
    private static let chunk = 1 << 18

    /// The file's length when it was opened.
    let size: Int
    private let descriptor: Int32
    private var position = 0
    private var hash = SHA256()

    /// Opens a regular file.
    ///
    /// Throws `CheckpointError.Reason`.
    init(path: String) throws {
        // Without O_NONBLOCK, opening a pipe would wait for its writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw CheckpointError.Reason.system(operation: "open", code: errno) }
        var status = stat()
        let result = fstat(descriptor, &status)
        let code = errno
        guard result == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw result == 0 ? .notAFile : CheckpointError.Reason.system(operation: "fstat", code: code)
        }
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    /// Bytes not yet read.
    var remaining: Int { size - position }

    /// Fills `buffer` with the next bytes.
    ///
    /// Throws `CheckpointError.Reason`: `truncated` if the file has become shorter than it was.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws {
        var filled = 0
        while filled < buffer.count {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...].prefix(Self.chunk))
            let count = Foundation.read(descriptor, part.baseAddress, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw CheckpointError.Reason.system(operation: "read", code: errno) }
            guard count > 0 else { throw CheckpointError.Reason.truncated(expected: size, found: position) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: part[..<count]))
            filled += count
            position += count
        }
    }

    /// The next `count` bytes.
    mutating func bytes(_ count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            try read(into: UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]))
            initialized = count
        }
    }

    /// Reads `count` bytes for the digest alone.
    mutating func skip(_ count: Int) throws {
        try withUnsafeTemporaryAllocation(byteCount: Self.chunk, alignment: 16) { buffer in
            var left = count
            while left > 0 {
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(left))
                try read(into: part)
                left -= part.count
            }
        }
    }

    /// SHA-256 of everything read so far, in hexadecimal.
    var digest: String { hash.finalize().hexadecimal }
}
