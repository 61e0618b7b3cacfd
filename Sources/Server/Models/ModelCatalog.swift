import Foundation
import Gallery
import Inference
import Logging
import Synchronization
import Tensor
import Threads

/// The checkpoints in a folder that were verified: whole, of known format, finite, able to be built, and with the answer to
/// their self-test that was recorded.
///
/// What was verified is written down with the file's size and time, so that a start reads only what has changed.
final class ModelCatalog: Sendable {
    private struct Known {
        let state: FileState
        let summary: ModelSummary
    }

    private struct Refusal {
        /// As the file was then: it is not read again before it changes.
        let state: FileState
        /// But if only memory was short.
        let mayPass: Bool
    }

    private let folder: URL
    private let gallery: GalleryStore
    private let memory: MemoryBudget
    private let batching: Batching
    private let logger: Logger
    /// Verified files by name.
    private let known = Mutex<[String: Known]>([:])
    /// Files that were refused, by name.
    private let refused = Mutex<[String: Refusal]>([:])

    /// Loads what is known. Throws `ModelError.storage` for a folder that cannot be made, and `GalleryError`.
    init(
        folder: URL, gallery: GalleryStore, memory: MemoryBudget, batching: Batching, logger: Logger
    ) async throws {
        (self.folder, self.gallery, self.memory) = (folder, gallery, memory)
        (self.batching, self.logger) = (batching, logger)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where name.hasPrefix(Self.partialPrefix) {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        } catch {
            throw ModelError.storage(error.localizedDescription)
        }
        for record in try await gallery.checkpoints() where FileState(url(record.file)) == FileState(record) {
            // What an earlier release wrote in another form is verified again.
            let summary = try? JSONDecoder().decode(ModelSummary.self, from: Data(record.summary.utf8))
            known.withLock { $0[record.file] = summary.map { Known(state: FileState(record), summary: $0) } }
        }
    }

    private static let partialPrefix = ".partial-"

    private func url(_ file: String) -> URL { folder.appendingPathComponent(file) }

    /// A name for a file that is being received; what the last process left under such names is removed at the start.
    func partial() -> URL { url(Self.partialPrefix + UUID().uuidString) }

    /// Models in order of their digests. Throws `GalleryError.invalid` for a bad cursor.
    func page(limit: Int, after cursor: String?) throws -> Page<ModelSummary> {
        if let cursor, cursor.wholeMatch(of: /[0-9a-f]{64}/) == nil {
            throw GalleryError.invalid(field: "cursor", expected: "one that a list has given", found: cursor)
        }
        let models = Dictionary(known.withLock { $0.values.map { ($0.summary.model, $0.summary) } }) { first, _ in first
        }
        let rest = models.values.filter { $0.model > cursor ?? "" }.sorted { $0.model < $1.model }
        let items = Array(rest.prefix(limit))
        return Page(items: items, next: rest.count > limit ? items.last?.model : nil)
    }

    /// Throws `ModelError.notFound`.
    func summary(_ model: String) throws -> ModelSummary { try entry(model).summary }

    private func entry(_ model: String) throws -> (file: String, summary: ModelSummary) {
        let found = known.withLock { known in
            known.first { $0.value.summary.model == model }.map { ($0.key, $0.value.summary) }
        }
        guard let found else { throw ModelError.notFound(model) }
        return found
    }

    /// Takes a file in, verified, under its digest. The file is moved, and is gone if it is refused. Throws
    /// `ModelError`.
    /// - Returns: what it is, and whether it is new here.
    func take(_ partial: URL) async throws -> (summary: ModelSummary, isNew: Bool) {
        defer { try? FileManager.default.removeItem(at: partial) }
        let summary = try await load(partial).summary
        if let known = try? self.summary(summary.model) { return (known, false) }
        try await place(partial, summary)
        return (summary, true)
    }

    /// Builds the model of a checkpoint that was read, and copies its file in, unless it is here. Throws `ModelError`.
    func add(_ source: CheckpointFile) async throws -> MultimodalEncoder {
        try memory.require(source.checkpoint.weights.parameterCount * MemoryLayout<Float>.size)
        let (encoder, summary) = try await load(source.url) { source.checkpoint }
        if (try? self.summary(summary.model)) != nil { return encoder }
        let copy = partial()
        defer { try? FileManager.default.removeItem(at: copy) }
        do {
            try FileManager.default.copyItem(at: source.url, to: copy)
        } catch {
            throw ModelError.storage(error.localizedDescription)
        }
        guard source.isUnchanged else {
            throw ModelError.refused(reason: "\(source.url.path) has changed while it was read")
        }
        try await place(copy, summary)
        return encoder
    }

    private func place(_ partial: URL, _ summary: ModelSummary) async throws {
        let file = "\(summary.model).safetensors"
        guard rename(partial.path, url(file).path) == 0 else {
            throw ModelError.storage("\(file): \(String(cString: strerror(errno)))")
        }
        try await note(file, summary)
    }

    /// Looks for files that are new or have changed, verifies them, and forgets those that are gone.
    func scan() async throws {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        let files = Set(names.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") })
        for gone in known.withLock({ $0.keys.filter { !files.contains($0) } }) { try await forget(gone) }
        for file in files.sorted() {
            let state = FileState(url(file))
            let isKnown = known.withLock { $0[file]?.state == state }
            let earlier = refused.withLock { $0[file] }
            guard !isKnown, earlier?.state != state || earlier?.mayPass == true else { continue }
            do {
                let summary = try await load(url(file)).summary
                try await note(file, summary)
                logger.info("model added", metadata: ["file": "\(file)", "model": "\(summary.model)"])
            } catch let error as ModelError {
                // Still being written, most likely.
                refused.withLock { $0[file] = Refusal(state: state, mayPass: error.isOfMemory) }
                try await forget(file)
                guard earlier?.state != state else { continue }
                logger.warning("model refused", metadata: ["file": "\(file)", "reason": "\(error)"])
            }
        }
    }

    private func note(_ file: String, _ summary: ModelSummary) async throws {
        let state = FileState(url(file))
        let json = String(decoding: try JSONEncoder().encode(summary), as: UTF8.self)
        try await gallery.save(
            CheckpointRecord(
                file: file, digest: summary.model, bytes: state.bytes, modifiedAt: state.modifiedAt, summary: json))
        known.withLock { $0[file] = Known(state: state, summary: summary) }
    }

    private func forget(_ file: String) async throws {
        guard known.withLock({ $0.removeValue(forKey: file) }) != nil else { return }
        try await gallery.forgetCheckpoint(file: file)
    }

    /// Deletes a model's files. Throws `ModelError.notFound` or `.storage`.
    func remove(_ model: String) async throws {
        let files = known.withLock { known in known.filter { $0.value.summary.model == model }.map(\.key) }
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
        let file = try entry(model).file
        let encoder = try await load(url(file)).encoder
        guard encoder.model == model else {
            throw ModelError.refused(reason: "\(file) has changed: expected \(model), found \(encoder.model)")
        }
        return encoder
    }

    /// Throws `ModelError.insufficientMemory` if a model, and so many bytes of vectors by it, would be too much.
    func requireMemory(for model: String, vectors: Int) throws {
        try memory.require(Self.loadingBytes(url(try entry(model).file)) + vectors)
    }

    /// What a model takes at most while it is loaded: its weights, which make way for packed ones one by one, of which
    /// Winograd's are larger.
    private static func loadingBytes(_ url: URL) throws -> Int {
        do {
            return try SafetensorsReader(path: url.path).header.weightBytes / 2 * 3
        } catch let error as CheckpointError {
            throw ModelError.refused(reason: "\(error.reason)")
        }
    }

    private func load(_ url: URL) async throws -> (encoder: MultimodalEncoder, summary: ModelSummary) {
        try memory.require(Self.loadingBytes(url))
        return try await load(url) { try Checkpoint.load(path: url.path) }
    }

    /// Reads a file, builds the model and lets it answer its self-test, beside the requests. What was read is let go of as
    /// soon as it is packed.
    private func load(
        _ url: URL, _ read: @escaping @Sendable () throws -> Checkpoint
    ) async throws -> (encoder: MultimodalEncoder, summary: ModelSummary) {
        defer { BufferPool.shared.drainSoon() }
        do {
            var (encoder, summary) = try await ComputeThread.background.run { [batching] in
                let checkpoint = try read()
                let parts = checkpoint.parts
                let encoder = try MultimodalEncoder(consuming: consume checkpoint, batching: batching)
                return (encoder, ModelSummary(encoder, parts: parts, bytes: FileState(url).bytes))
            }
            summary.isSelfTested = try await ComputeThread.background.run { [encoder] in
                encoder.warmUp()
                return try SelfTest.check(encoder) != nil
            }
            return (encoder, summary)
        } catch let error as CheckpointError {
            throw ModelError.refused(reason: "\(error.reason)")
        } catch let error where error is WeightsError || error is EncoderError || error is SelfTest.Failure {
            throw ModelError.refused(reason: "\(error)")
        }
    }
}
