import Documents
import Foundation
import Threads

/// What is received for an import, in files until it has been enrolled, so that neither a client that
/// leaves nor a crash ends it.
package struct ImportFile: Sendable {
    /// What it holds.
    package enum Form: String, CaseIterable, Sendable {
        /// JSON objects, one a line.
        case lines = "ndjson"
        /// Files of lines, and the images that they name.
        case archive = "tar"
    }

    private let folder: String
    /// The job's.
    package let id: String
    private let form: Form

    /// A file for a job: one that was received before is of the form that it has.
    package init(job id: String, folder: String, form: Form? = nil) {
        (self.folder, self.id) = (folder, id)
        let path = { [folder] (form: Form) in "\(folder)/\(id).\(form.rawValue)" }
        self.form = form ?? Form.allCases.first { FileManager.default.fileExists(atPath: path($0)) } ?? .lines
    }

    var path: String { "\(folder)/\(id).\(form.rawValue)" }
    /// What other servers know it by.
    var sharedName: String { "\(Self.sharedPrefix)\(id).\(form.rawValue)" }
    private static let sharedPrefix = "import/"
    private var target: String { "\(folder)/\(id).gallery" }

    /// The job that a shared file is for; nil for other files.
    static func job(ofShared name: String) -> String? {
        name.hasPrefix(sharedPrefix) ? String(name.dropFirst(sharedPrefix.count).prefix { $0 != "." }) : nil
    }

    /// Throws `FileError`.
    func makeFolder() throws {
        if mkdir(folder, 0o700) != 0 && errno != EEXIST { throw FileError(operation: "make \(folder)", code: errno) }
    }

    /// Appends bytes. Throws `FileError`.
    package func append(_ bytes: Data) throws {
        try makeFolder()
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw FileError(operation: "open \(path)", code: errno) }
        defer { close(file) }
        try bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
                let count = write(file, rest.baseAddress, rest.count)
                if count < 0 && errno == EINTR { continue }
                guard count >= 0 else { throw FileError(operation: "write \(path)", code: errno) }
                written += count
            }
        }
    }

    /// Puts what was received onto the disk, with the gallery that it is for. Throws `FileError`.
    package func finish(gallery: String) throws {
        try append(Data())
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError(operation: "open \(path)", code: errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw FileError(operation: "fsync \(path)", code: errno) }
        try DurableFile.write(Data(gallery.utf8), to: target)
    }

    /// The gallery; nil if there is no whole file.
    func gallery() -> String? {
        (FileManager.default.contents(atPath: target)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Its lines, each of at most so many bytes, and the archive that they are in. Throws `FileError`.
    func contents(longest: Int) throws -> (lines: ImportLines, archive: ImportArchive?) {
        let file = try InputFile(path)
        let archive = form == .archive ? try ImportArchive(file) : nil
        let sections = archive?.sections ?? [ImportLines.Section(name: nil, bytes: 0..<file.size)]
        return (ImportLines(file, sections, longest: longest), archive)
    }

    /// Takes everything away.
    package func remove() {
        unlink(target)
        unlink(path)
    }

    /// Takes away what no job is for. Throws nothing: what cannot be removed is tried again at the next start.
    static func removeOthers(than jobs: Set<String>, folder: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            if !jobs.contains(String(name.prefix { $0 != "." })) { unlink("\(folder)/\(name)") }
        }
    }
}
