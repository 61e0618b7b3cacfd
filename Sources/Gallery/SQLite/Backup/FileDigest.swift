import Crypto
import Documents
import Foundation

/// SHA-256 of files, a megabyte at a time.
enum FileDigest {
    /// In hexadecimal. Throws `FileError`.
    static func of(_ path: String) throws -> String {
        var hash = SHA256()
        try read(path) { hash.update(bufferPointer: $0) }
        return hexadecimal(hash)
    }

    /// Copies a file that must have a digest; the copy is its owner's alone and on the disk before it takes its name. Throws
    /// `FileError`, and `GalleryError.storage` if it changed meanwhile.
    static func copy(_ source: String, to path: String, expecting digest: String) throws {
        var file = try DurableFile(replacing: path, mode: 0o600)
        var hash = SHA256()
        try read(source) { bytes in
            hash.update(bufferPointer: bytes)
            try file.write(bytes)
        }
        guard hexadecimal(hash) == digest else { throw GalleryError.storage("\(source) changes while it is copied") }
        try file.commit()
    }

    private static func read(_ path: String, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError(operation: "open \(path)", code: errno) }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = Foundation.read(file, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw FileError(operation: "read \(path)", code: errno) }
            if count == 0 { return }
            try buffer.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    private static func hexadecimal(_ hash: SHA256) -> String {
        hash.finalize().map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
