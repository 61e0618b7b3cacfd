import Documents
import Foundation
import Threads

/// What is received for an import, in files beside the database until it has been enrolled, so that neither a client that
/// leaves nor a crash ends it.
package struct ImportFile: Sendable {
    private let folder: String
    /// The job's.
    package let id: String

    /// A file for a job of a database.
    package init(job id: String, database: String) { (folder, self.id) = (database + "-imports", id) }

    var lines: String { "\(folder)/\(id).ndjson" }
    private var target: String { "\(folder)/\(id).gallery" }

    /// Appends bytes. Throws `FileError`.
    package func append(_ bytes: Data) throws {
        if mkdir(folder, 0o700) != 0 && errno != EEXIST { throw FileError(operation: "make \(folder)", code: errno) }
        let file = open(lines, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileError(operation: "open \(lines)", code: errno) }
        defer { close(file) }
        try bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                let count = write(file, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw FileError(operation: "write \(lines)", code: errno) }
                written += count
            }
        }
    }

    /// Puts what was received onto the disk, with the gallery that it is for. Throws `FileError`.
    package func finish(gallery: String) throws {
        try append(Data())
        let file = open(lines, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError(operation: "open \(lines)", code: errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw FileError(operation: "fsync \(lines)", code: errno) }
        try DurableFile.write(Data(gallery.utf8), to: target)
    }

    /// The gallery; nil if there is no whole file.
    func gallery() -> String? {
        (FileManager.default.contents(atPath: target)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Takes everything away.
    package func remove() {
        unlink(target)
        unlink(lines)
    }

    /// Takes away what no job is for. Throws nothing: what cannot be removed is tried again at the next start.
    static func removeOthers(than jobs: Set<String>, database: String) {
        let folder = database + "-imports"
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            if !jobs.contains(String(name.prefix { $0 != "." })) { unlink("\(folder)/\(name)") }
        }
    }

    /// Reads lines one after the other, without their ends and without empty ones.
    struct Lines {
        /// A line and its number, from 1.
        struct Line: Sendable {
            let number: Int
            /// nil if it is longer than it may be.
            let bytes: Data?
        }

        private let handle: FileHandle
        private let longest: Int
        private var buffer = Data()
        private var isAtEnd = false
        private var number = 0

        /// Throws `FileError` if it cannot be opened.
        init(_ path: String, longest: Int) throws(FileError) {
            guard let handle = FileHandle(forReadingAtPath: path) else {
                throw FileError(operation: "open \(path)", code: errno)
            }
            (self.handle, self.longest) = (handle, longest)
        }

        /// The next line; nil after the last one.
        mutating func next() throws -> Line? {
            var (isTooLong, searched) = (false, 0)
            while true {
                if let end = Self.end(of: buffer, from: searched) {
                    let line = take(end, isTooLong)
                    buffer = Data(buffer.dropFirst(end + 1))
                    if line.bytes?.isEmpty == true { return try next() }
                    return line
                }
                searched = buffer.count
                if buffer.count > longest { (isTooLong, searched, buffer) = (true, 0, Data()) }
                guard !isAtEnd, let more = try handle.read(upToCount: 1 << 20), !more.isEmpty else {
                    isAtEnd = true
                    if buffer.isEmpty && !isTooLong { return nil }
                    defer { buffer = Data() }
                    return take(buffer.count, isTooLong)
                }
                buffer.append(more)
            }
        }

        private mutating func take(_ count: Int, _ isTooLong: Bool) -> Line {
            number += 1
            return Line(number: number, bytes: isTooLong || count > longest ? nil : Data(buffer.prefix(count)))
        }

        private static func end(of buffer: Data, from start: Int) -> Int? {
            buffer.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress, start < bytes.count,
                    let found = memchr(base + start, 10, bytes.count - start)
                else { return nil }
                return UnsafeRawPointer(found) - base
            }
        }

        /// The next lines, so many at most and of about so many bytes; none after the last one.
        mutating func next(_ most: Int, bytes: Int) throws -> [Line] {
            var (lines, size) = ([Line](), 0)
            while lines.count < most, size < bytes, let line = try next() {
                size += line.bytes?.count ?? 0
                lines.append(line)
            }
            return lines
        }
    }
}
