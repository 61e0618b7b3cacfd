import Documents
import Foundation
import Gallery
import Inference
import Logging
import Synchronization
import enum Tensor.Precision

/// The checkpoints in a folder that were verified: whole, of known format, finite, able to be built, and with the answer to
/// their self-test that was recorded.
///
/// What was verified is written down with the file's digest, size and time, so that a start reads only what has changed. A
/// file whose time alone has changed, as after a backup was restored, is the same if its digest is.
package final class ModelCatalog: Sendable {
    private struct Known {
        let state: FileState
        let summary: ModelSummary
    }

    private struct Refusal {
        /// As the file was then: it is not read again before it changes,
        let state: FileState
        /// or before this time, if it may pass then.
        var retry: ContinuousClock.Instant?
        var pause = Duration.seconds(4)
    }

    private struct State {
        /// Verified files by name.
        var known: [String: Known] = [:]
        /// Files that were refused, by name.
        var refused: [String: Refusal] = [:]
    }

    private let folder: URL
    private let ledger: any ServerLedger
    private let loader: ModelLoader
    private let logger: Logger
    private let state = Mutex(State())

    /// Loads what is known. Throws `ModelError.storage` for a folder that cannot be made, and `GalleryError`.
    package init(folder: URL, ledger: any ServerLedger, loader: ModelLoader, logger: Logger) async throws {
        (self.folder, self.ledger, self.loader, self.logger) = (folder, ledger, loader, logger)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
            where name.hasPrefix(Self.partialPrefix) {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(name))
            }
        } catch {
            throw ModelError(error, file: folder.path)
        }
        for record in try await ledger.checkpoints() where FileState(url(record.file)).bytes == record.bytes {
            // What an earlier release wrote in another form is verified again.
            let summary = try? JSONDecoder().decode(ModelSummary.self, from: Data(record.summary.utf8))
            // And so is what was verified in another precision.
            guard let summary, summary.model == summary.computed(in: loader.precision).model else { continue }
            state.withLock { $0.known[record.file] = Known(state: FileState(record), summary: summary) }
        }
    }

    /// Whether a text can be a model's name: a SHA-256 digest in hexadecimal digits.
    package static func isDigest(_ text: String) -> Bool { text.wholeMatch(of: /[0-9a-f]{64}/) != nil }

    private static let partialPrefix = ".partial-"

    private func url(_ file: String) -> URL { folder.appendingPathComponent(file) }

    /// A name for a file that is being received; what the last process left under such names is removed at the start.
    package func partial() -> URL { url(Self.partialPrefix + UUID().uuidString) }

    /// Models in order of their names. Throws `GalleryError.invalid` for a bad cursor.
    ///
    /// - Parameter active: the one that answers, which is among them though it is still computed in another precision than configured.
    package func page(limit: Int, after cursor: String?, with active: String? = nil) throws -> Page<ModelSummary> {
        if let cursor, !Self.isDigest(cursor) {
            throw GalleryError.invalid(field: "cursor", expected: "one that a list has given", found: cursor)
        }
        let known = state.withLock { Array($0.known.values) }
        var models = Dictionary(known.map { ($0.summary.model, $0.summary) }) { first, _ in first }
        if let active, let summary = try? summary(active) { models[active] = summary }
        let rest = models.values.filter { $0.model > cursor ?? "" }.sorted { $0.model < $1.model }
        let items = Array(rest.prefix(limit))
        return Page(items: items, next: rest.count > limit ? items.last?.model : nil)
    }

    /// Of all verified files.
    var digests: Set<String> { state.withLock { Set($0.known.values.map(\.summary.digest)) } }

    /// A model's file. Throws `ModelError.notFound`.
    func file(of model: String) throws -> URL { url(try entry(model).file) }

    /// Throws `ModelError.notFound`.
    package func summary(_ model: String) throws -> ModelSummary { try entry(model).summary }

    /// What a model is known by as this server computes it, whatever precision its vectors were made in. Throws `ModelError.notFound`.
    func configured(_ model: String) throws -> String { try summary(model).computed(in: loader.precision).model }

    private func entry(_ model: String) throws -> (file: String, summary: ModelSummary) {
        for (file, known) in state.withLock({ $0.known }) {
            for precision in [Precision.float32, .bfloat16] {
                let summary = known.summary.computed(in: precision)
                if summary.model == model { return (file, summary) }
            }
        }
        throw ModelError.notFound(model)
    }

    /// Takes a file in, verified, under its digest, which must be `expected` if there is one. The file is moved, and is gone if it
    /// is refused, but for what may pass. Throws `ModelError`.
    /// - Returns: what it is, and whether it is new here.
    package func take(
        _ partial: URL, expecting expected: String? = nil
    ) async throws -> (summary: ModelSummary, isNew: Bool) {
        do {
            let summary = try await loader.load(partial).summary
            guard expected ?? summary.digest == summary.digest else {
                throw ModelError.refused(reason: "expected the digest \(expected ?? ""), found \(summary.digest)")
            }
            if let known = try? self.summary(summary.model) {
                try? FileManager.default.removeItem(at: partial)
                return (known, false)
            }
            try await place(partial, summary)
            return (summary, true)
        } catch let error as ModelError where !error.mayPass {
            try? FileManager.default.removeItem(at: partial)
            throw error
        }
    }

    /// Builds the model of a checkpoint that was read, and copies its file in, unless it is here. Throws `ModelError`.
    func add(_ source: CheckpointFile) async throws -> MultimodalEncoder {
        let (encoder, summary) = try await loader.load(source)
        if (try? self.summary(summary.model)) != nil { return encoder }
        let copy = partial()
        defer { try? FileManager.default.removeItem(at: copy) }
        do {
            try FileManager.default.copyItem(at: source.url, to: copy)
        } catch {
            throw ModelError(error, file: source.url.lastPathComponent)
        }
        guard source.isUnchanged else {
            throw ModelError.refused(reason: "\(source.url.path) has changed while it was read")
        }
        try await place(copy, summary)
        return encoder
    }

    private func place(_ partial: URL, _ summary: ModelSummary) async throws {
        let file = "\(summary.digest).safetensors"
        do {
            try DurableFile.move(partial.path, to: url(file).path)
        } catch {
            throw ModelError(error, file: file)
        }
        try await note(file, summary)
    }

    private func note(_ file: String, _ summary: ModelSummary) async throws {
        let found = FileState(url(file))
        let json = String(decoding: try JSONEncoder().encode(summary), as: UTF8.self)
        try await ledger.save(
            CheckpointRecord(
                file: file, digest: summary.digest, bytes: found.bytes, modifiedAt: found.modifiedAt, summary: json))
        state.withLock {
            $0.known[file] = Known(state: found, summary: summary)
            $0.refused[file] = nil
        }
    }

    private func forget(_ file: String) async throws {
        guard state.withLock({ $0.known.removeValue(forKey: file) }) != nil else { return }
        try await ledger.forgetCheckpoint(file: file)
    }

    /// Deletes a model's files. Throws `ModelError.notFound` or `.storage`.
    func remove(_ model: String) async throws {
        let digest = try summary(model).digest
        let files = state.withLock { state in
            state.known.filter { $0.value.summary.digest == digest }.map(\.key)
        }
        for file in files {
            do {
                try FileManager.default.removeItem(at: url(file))
                try DurableFile.syncFolder(of: url(file).path)
            } catch let error as FileError {
                throw ModelError(error, file: file)
            } catch {
                throw ModelError(error, file: file)
            }
            try await forget(file)
        }
    }

    /// Loads a model for serving. Throws `ModelError`.
    package func encoder(_ model: String) async throws -> MultimodalEncoder {
        let (file, summary) = try entry(model)
        let encoder = try await loader.load(url(file), in: summary.computed ?? .float32).encoder
        guard encoder.model == model else {
            throw ModelError.refused(reason: "\(file) has changed: expected \(model), found \(encoder.model)")
        }
        return encoder
    }

    /// Throws `ModelError.insufficientMemory` if a model, and so many bytes of vectors by it, would be too much.
    func requireMemory(for model: String, vectors: Int) async throws {
        try await loader.requireMemory(for: url(try entry(model).file), vectors: vectors)
    }
}

extension ModelCatalog {
    /// Looks for files that are new or have changed, verifies them, and forgets those that are gone. Throws
    /// `ModelError.storage` if the folder cannot be listed: then nothing is forgotten.
    package func scan() async throws {
        let files = try list()
        for gone in state.withLock({ $0.known.keys.filter { !files.contains($0) } }) { try await forget(gone) }
        state.withLock { $0.refused = $0.refused.filter { files.contains($0.key) } }
        for file in files.sorted() {
            try Task.checkCancellation()
            try await look(at: file)
        }
    }

    private func list() throws -> Set<String> {
        do {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return Set(names.filter { $0.hasSuffix(".safetensors") && !$0.hasPrefix(".") })
        } catch {
            throw ModelError(error, file: folder.path)
        }
    }

    private func look(at file: String) async throws {
        let found = FileState(url(file))
        let (known, earlier) = state.withLock { ($0.known[file], $0.refused[file]) }
        if let known, known.state == found { return }
        if let earlier, earlier.state == found {
            guard let retry = earlier.retry, retry <= .now else { return }
        }
        do {
            if let known, known.state.bytes == found.bytes,
                try await loader.digest(of: url(file)) == known.summary.digest
            {
                return try await note(file, known.summary)
            }
            let summary = try await loader.load(url(file), patiently: true).summary
            try await note(file, summary)
            logger.info("model added", metadata: ["file": "\(file)", "model": "\(summary.model)"])
        } catch let error as ModelError {
            try await refuse(file, found, error, earlier)
        }
    }

    /// Remembers a refusal, and says it once. What may pass is tried again, after longer and longer pauses.
    private func refuse(_ file: String, _ found: FileState, _ error: ModelError, _ earlier: Refusal?) async throws {
        let isRepeated = earlier?.state == found
        var refusal = Refusal(state: found)
        if isRepeated, let earlier { refusal.pause = min(earlier.pause * 2, .seconds(600)) }
        if error.mayPass { refusal.retry = .now + refusal.pause }
        state.withLock { [refusal] in $0.refused[file] = refusal }
        // What the system did not let be read may still be what it was.
        if !error.mayPass { try await forget(file) }
        if !isRepeated {
            logger.warning("model refused", metadata: ["file": "\(file)", "reason": "\(error)"])
        }
    }

    /// Looks for a model among files that nobody has noted, as after a database was restored without its folder or the
    /// other way round. Throws `ModelError`.
    /// - Returns: whether it is here now.
    func find(_ model: String) async throws -> Bool {
        if (try? summary(model)) != nil { return true }
        // Most likely in the file that has its name.
        let own = "\(model).safetensors"
        let files = try list()
        for file in (files.contains(own) ? [own] : []) + files.subtracting([own]).sorted() {
            guard let digest = try? await loader.digest(of: url(file)), ModelSummary.names(digest).contains(model)
            else { continue }
            try await note(file, loader.load(url(file)).summary)
            return true
        }
        return false
    }
}
