import Foundation
import Gallery
import Inference
import Logging
import Synchronization
import Tensor

/// The checkpoints in a folder that were verified: whole, of known format, finite, able to be built, and with the answer to
/// their self-test that was recorded.
///
/// What was verified is written down with the file's size and time, so that a start reads only what has changed.
final class ModelCatalog: Sendable {
    private let folder: URL
    private let gallery: GalleryStore
    private let logger: Logger
    /// Verified files by name.
    private let records = Mutex<[String: CheckpointRecord]>([:])
    /// Files that were refused, by name, as they were then: not to be read again before they change.
    private let refused = Mutex<[String: FileState]>([:])

    /// Loads what is known. Throws `ModelError.storage` for a folder that cannot be made, and `GalleryError`.
    init(folder: URL, gallery: GalleryStore, logger: Logger) async throws {
        (self.folder, self.gallery, self.logger) = (folder, gallery, logger)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where name.hasPrefix(Self.partialPrefix) {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        } catch {
            throw ModelError.storage(error.localizedDescription)
        }
        let known = try await gallery.checkpoints().filter { FileState(url($0.file)) == FileState($0) }
        records.withLock { records in for record in known { records[record.file] = record } }
    }

    private static let partialPrefix = ".partial-"

    private func url(_ file: String) -> URL { folder.appendingPathComponent(file) }

    /// A name for a file that is being received; what the last process left under such names is removed at the start.
    func partial() -> URL { url(Self.partialPrefix + UUID().uuidString) }

    /// Every model, by digest.
    var summaries: [ModelSummary] {
        let all = records.withLock { Array($0.values) }
        let summaries = all.compactMap { try? JSONDecoder().decode(ModelSummary.self, from: Data($0.summary.utf8)) }
        return Dictionary(summaries.map { ($0.model, $0) }) { first, _ in first }.values.sorted { $0.model < $1.model }
    }

    /// Throws `ModelError.notFound`.
    func summary(_ model: String) throws -> ModelSummary {
        guard let found = summaries.first(where: { $0.model == model }) else { throw ModelError.notFound(model) }
        return found
    }

    /// Takes a file in, verified, under its digest. The file is moved, and is gone if it is refused. Throws
    /// `ModelError.refused` or `.storage`.
    /// - Returns: what it is, whether it is new here, and the model itself.
    func take(_ partial: URL) async throws -> (summary: ModelSummary, isNew: Bool, encoder: MultimodalEncoder) {
        defer { try? FileManager.default.removeItem(at: partial) }
        let (summary, encoder) = try await verified(partial)
        if let known = try? self.summary(summary.model) { return (known, false, encoder) }
        let file = "\(summary.model).safetensors"
        guard rename(partial.path, url(file).path) == 0 else {
            throw ModelError.storage("\(file): \(String(cString: strerror(errno)))")
        }
        try await note(file, summary)
        return (summary, true, encoder)
    }

    /// Copies a file in, unless its model is here, and gives its model. Throws as `take` does.
    func add(copyOf path: String) async throws -> MultimodalEncoder {
        let copy = partial()
        do {
            try FileManager.default.copyItem(atPath: path, toPath: copy.path)
        } catch {
            throw ModelError.storage(error.localizedDescription)
        }
        return try await take(copy).encoder
    }

    /// Looks for files that are new or have changed, verifies them, and forgets those that are gone.
    func scan() async throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let files = Set(names.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") })
        for gone in records.withLock({ $0.keys.filter { !files.contains($0) } }) { try await forget(gone) }
        for file in files.sorted() {
            let state = FileState(url(file))
            let isKnown = records.withLock { $0[file].map { FileState($0) == state } ?? false }
            guard !isKnown, refused.withLock({ $0[file] }) != state else { continue }
            do {
                let summary = try await verified(url(file)).summary
                try await note(file, summary)
                logger.info("model added", metadata: ["file": "\(file)", "model": "\(summary.model)"])
            } catch let error as ModelError {
                // Still being written, most likely; it is read again once it has changed.
                refused.withLock { $0[file] = state }
                try await forget(file)
                logger.warning("model refused", metadata: ["file": "\(file)", "reason": "\(error)"])
            }
        }
    }

    private func note(_ file: String, _ summary: ModelSummary) async throws {
        let state = FileState(url(file))
        let json = String(decoding: try JSONEncoder().encode(summary), as: UTF8.self)
        let record = CheckpointRecord(
            file: file, digest: summary.model, bytes: state.bytes, modifiedAt: state.modifiedAt, summary: json)
        try await gallery.save(record)
        records.withLock { $0[file] = record }
    }

    private func forget(_ file: String) async throws {
        guard records.withLock({ $0.removeValue(forKey: file) }) != nil else { return }
        try await gallery.forgetCheckpoint(file: file)
    }

    /// Deletes a model's files. Throws `ModelError.notFound` or `.storage`.
    func remove(_ model: String) async throws {
        let files = records.withLock { $0.values.filter { $0.digest == model }.map(\.file) }
        guard !files.isEmpty else { throw ModelError.notFound(model) }
        for file in files {
            do {
                try FileManager.default.removeItem(at: url(file))
            } catch {
                throw ModelError.storage(error.localizedDescription)
            }
            try await forget(file)
        }
    }

    /// Loads a model for serving. Throws `ModelError`.
    func encoder(_ model: String) async throws -> MultimodalEncoder {
        guard let file = records.withLock({ $0.values.first { $0.digest == model }?.file }) else {
            throw ModelError.notFound(model)
        }
        let (encoder, _, _) = try await load(url(file))
        guard encoder.model == model else {
            throw ModelError.refused(reason: "\(file) has changed: expected \(model), found \(encoder.model)")
        }
        return encoder
    }

    private func verified(_ url: URL) async throws -> (summary: ModelSummary, encoder: MultimodalEncoder) {
        defer { BufferPool.shared.drainSoon() }
        let (encoder, checkpoint, isSelfTested) = try await load(url)
        let bytes = FileState(url).bytes
        return (ModelSummary(checkpoint, encoder, bytes: bytes, isSelfTested: isSelfTested), encoder)
    }

    /// Reads a file, builds the model and lets it answer its self-test. Off Swift's pool: reading and packing take seconds.
    private func load(_ url: URL) async throws -> (MultimodalEncoder, Checkpoint, Bool) {
        do {
            let (encoder, checkpoint) = try await ComputeThread(name: "loading").run {
                let checkpoint = try Checkpoint.load(path: url.path)
                let encoder = try MultimodalEncoder(
                    configuration: checkpoint.configuration, weights: checkpoint.weights, model: checkpoint.digest)
                return (encoder, checkpoint)
            }
            try await encoder.warmUp()
            let difference = try await ComputeThread.shared.run { try SelfTest.check(encoder) }
            return (encoder, checkpoint, difference != nil)
        } catch let error as CheckpointError {
            throw ModelError.refused(reason: "\(error.reason)")
        } catch let error where error is WeightsError || error is EncoderError || error is SelfTest.Failure {
            throw ModelError.refused(reason: "\(error)")
        }
    }
}

/// What tells that a file has changed.
private struct FileState: Equatable {
    let bytes: Int
    /// Nanoseconds since 1970.
    let modifiedAt: Int64

    init(_ record: CheckpointRecord) { (bytes, modifiedAt) = (record.bytes, record.modifiedAt) }

    /// −1 for a file that is not there.
    init(_ url: URL) {
        var status = stat()
        guard stat(url.path, &status) == 0 else {
            (bytes, modifiedAt) = (-1, -1)
            return
        }
        bytes = Int(status.st_size)
        modifiedAt = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }
}
