import Documents
import Foundation
import Synchronization
import Threads

/// A checkpoint that comes in pieces, over as many requests as it takes.
package struct PartialUpload: Equatable, Sendable {
    package let id: String
    /// The digest that the whole must have; nil if nobody has said.
    package let model: String?
    /// Bytes of the whole.
    package let bytes: Int
    /// Bytes that are here: the next piece begins there.
    package let offset: Int
    /// When it is forgotten unless more comes.
    package let expiresAt: Date
}

/// Uploads that are not whole yet. Each is a file of the models' folder whose name says what is expected and whose size how much has
/// come, so that there is nothing beside it that could say otherwise, and it outlives the server.
package final class UploadShelf: Sendable {
    /// So many at a time.
    package static let most = 16
    /// For so long a client may be away.
    static let patience: TimeInterval = 86_400
    private static let prefix = ".upload-"

    private let folder: URL
    private let files: WorkerThreads
    /// Those that a request is at work on.
    private let busy = Mutex<Set<String>>([])

    init(folder: URL, files: WorkerThreads) { (self.folder, self.files) = (folder, files) }

    /// All of them, oldest progress first. Throws `ModelError.storage`.
    package func uploads() async throws -> [PartialUpload] {
        try await files.storing { [self] in
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return names.compactMap(read).sorted { ($0.expiresAt, $0.id) < ($1.expiresAt, $1.id) }
        }
    }

    /// One of them. Throws `ModelError.uploadNotFound`.
    package func upload(_ id: String) async throws -> PartialUpload { try await found(id).upload }

    /// Makes room for one. Throws `ModelError.tooManyUploads`, or `.full` if the disk has less room than it takes.
    ///
    /// - Parameters:
    ///   - bytes: of the whole.
    ///   - model: its digest, if the client knows it.
    package func begin(bytes: Int, model: String?) async throws -> PartialUpload {
        guard try await uploads().count < Self.most else { throw ModelError.tooManyUploads(limit: Self.most) }
        let name = [Self.prefix + UUID().uuidString.lowercased(), "\(bytes)", model ?? ""].joined(separator: "_")
        let made = try await files.storing { [self] in
            let free = try FileManager.default.attributesOfFileSystem(forPath: folder.path)[.systemFreeSize] as? Int
            guard free ?? .max >= bytes else { throw ModelError.full("an upload of \(bytes) bytes") }
            try Data().write(to: folder.appendingPathComponent(name), options: .withoutOverwriting)
            return read(name)
        }
        guard let made else { throw ModelError.storage("an upload is gone") }
        return made
    }

    /// Forgets one. Throws `ModelError.uploadNotFound` or `.uploadBusy`.
    package func remove(_ id: String) async throws { try await exclusively(id) { _, file in file.discard() } }

    /// Forgets those that nobody has gone on with.
    func removeExpired() async throws {
        for upload in try await uploads() where upload.expiresAt < Date() { try? await remove(upload.id) }
    }

    /// Does something with one that no other request does anything with meanwhile. Throws `ModelError.uploadNotFound` or
    /// `.uploadBusy`.
    func exclusively<Value>(
        _ id: String, _ work: (PartialUpload, CheckpointUpload) async throws -> Value
    ) async throws -> Value {
        guard busy.withLock({ $0.insert(id).inserted }) else { throw ModelError.uploadBusy(id) }
        defer { busy.withLock { _ = $0.remove(id) } }
        let (upload, name) = try await found(id)
        return try await work(upload, CheckpointUpload(file: folder.appendingPathComponent(name), files: files))
    }

    private func found(_ id: String) async throws -> (upload: PartialUpload, name: String) {
        let found = try await files.storing { [self] () -> (PartialUpload, String)? in
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
                if let upload = read(name), upload.id == id { return (upload, name) }
            }
            return nil
        }
        guard let found else { throw ModelError.uploadNotFound(id) }
        return found
    }

    /// nil for another file, and for one that has just gone.
    private func read(_ name: String) -> PartialUpload? {
        guard name.hasPrefix(Self.prefix),
            case let parts = name.dropFirst(Self.prefix.count).components(separatedBy: "_"), parts.count == 3,
            let bytes = Int(parts[1]),
            let found = try? FileManager.default.attributesOfItem(
                atPath: folder.appendingPathComponent(name).path),
            let offset = found[.size] as? Int, let changed = found[.modificationDate] as? Date
        else { return nil }
        return PartialUpload(
            id: parts[0], model: parts[2].isEmpty ? nil : parts[2], bytes: bytes, offset: offset,
            expiresAt: changed.addingTimeInterval(Self.patience))
    }
}

extension WorkerThreads {
    /// Does something with the files of uploads. Throws `ModelError` or `CancellationError`.
    fileprivate func storing<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        do {
            return try await run(work)
        } catch let error where error is ModelError || error is CancellationError {
            throw error
        } catch {
            throw ModelError(error, file: "an upload")
        }
    }
}

/// A checkpoint that is being received into a file, part by part: it need not fit into memory.
package struct CheckpointUpload: Sendable {
    let file: URL
    let files: WorkerThreads

    /// Appends bytes. Throws `ModelError.full` or `.storage`.
    package func append(_ bytes: Data) async throws {
        // A file that is opened for each part needs nobody to close it.
        try await write { handle in
            try handle.seekToEnd()
            try handle.write(contentsOf: bytes)
        }
    }

    /// Returns once all of it is on the disk. Throws `ModelError.storage`.
    func synchronize() async throws { try await write { try $0.synchronize() } }

    private func write(_ work: @escaping @Sendable (FileHandle) throws -> Void) async throws {
        try await files.storing { [file] in
            if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
            let handle = try FileHandle(forWritingTo: file)
            defer { try? handle.close() }
            try work(handle)
        }
    }

    /// Removes what was received.
    package func discard() { try? FileManager.default.removeItem(at: file) }
}
