import Foundation

/// A file that is read in pieces, from any number of threads.
public final class InputFile: Sendable {
    /// How many bytes it had when it was opened.
    public let size: Int
    private let path: String
    private let descriptor: Int32

    /// Opens a file. Throws `FileError`.
    public init(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open \(path)", code: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw FileError(operation: "stat \(path)", code: code)
        }
        (self.path, self.descriptor, size) = (path, descriptor, Int(status.st_size))
    }

    deinit { close(descriptor) }

    /// The bytes of a range within the file. Throws `FileError`, also if the file is shorter now.
    public func read(_ range: Range<Int>) throws(FileError) -> [UInt8] {
        var (done, code) = (0, 0 as Int32)
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            while done < range.count {
                let part = pread(
                    descriptor, buffer.baseAddress.map { $0 + done }, range.count - done, off_t(range.lowerBound + done)
                )
                if part < 0 && errno == EINTR { continue }
                if part <= 0 {
                    code = part < 0 ? errno : EIO
                    break
                }
                done += part
            }
            count = done
        }
        if code != 0 { throw FileError(operation: "read \(path)", code: code) }
        return bytes
    }
}
