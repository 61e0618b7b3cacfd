import Documents
import Foundation
import Gallery
import Inference
import Synchronization
import Threads

/// Enrols what was sent in bulk, as a job: line by line in their order, encoded side by side beside the requests, and
/// committed together. What is wrong with a line is said in the job's result and does not stop the others.
package struct ImportService: Sendable {
    let models: ModelRegistry
    let gallery: GalleryStore
    let encoding: EncodingService
    let keepsImages: Bool
    let memory: MemoryBudget
    let files: WorkerThreads
    let jobs: JobBoard
    /// Bytes of a line.
    let longestLine: Int

    /// Lines that are encoded side by side and committed together.
    private static let atOnce = 64
    /// Errors that are told one by one.
    private static let mostErrors = 1000

    /// A file for what is about to be received. Throws `GalleryError.notFound` for the gallery.
    package func receive(for gallery: String) async throws -> (file: ImportFile, job: JobRecord) {
        try await self.gallery.requireGallery(gallery)
        let job = JobRecord(kind: JobKind.importing.rawValue)
        return (ImportFile(job: job.id, database: self.gallery.path), job)
    }

    /// Appends to it, away from the cooperative pool. Throws `GalleryError.full` or `.storage`.
    package func append(_ bytes: Data, to file: ImportFile) async throws {
        try await onDisk { try file.append(bytes) }
    }

    /// Starts the job for what was received. Throws `GalleryError` or `ModelError`; then the file is gone.
    package func start(_ file: ImportFile, _ job: JobRecord, in gallery: String) async throws -> JobStatus {
        do {
            try await onDisk { try file.finish(gallery: gallery) }
            try await jobs.start(job, .importing) { try await run($0) }
        } catch {
            file.remove()
            throw error
        }
        return try await jobs.job(job.id)
    }

    /// Does a job that has its file. Throws `GalleryError`, `EncoderError` or `CancellationError`; what is enrolled by then stays.
    func run(_ job: JobHandle) async throws -> JobRecord {
        let file = ImportFile(job: job.job.id, database: self.gallery.path)
        do {
            let record = try await run(file, job)
            file.remove()
            return record
        } catch {
            // At the server's end it is kept: the next start goes on.
            if await !job.isStopping { file.remove() }
            throw error
        }
    }

    /// Takes away what was received for jobs that have ended.
    func removeOthers(than jobs: [JobRecord]) {
        ImportFile.removeOthers(than: Set(jobs.map(\.id)), database: self.gallery.path)
    }

    private func onDisk(_ work: @escaping @Sendable () throws -> Void) async throws {
        do {
            try await files.run(work)
        } catch let error as FileError {
            throw error.code == ENOSPC ? GalleryError.full : GalleryError.storage("\(error)")
        }
    }

    private struct Tally {
        var (enrolled, repeated, failed) = (0, 0, 0)
        var errors: [JSONValue] = []

        mutating func fail(_ line: Int, _ error: any Error) {
            failed += 1
            if errors.count == ImportService.mostErrors { return }
            var entry: [String: JSONValue] = ["line": .integer(line), "reason": .string("\(error)")]
            if case GalleryError.invalid(let field, _, _) = error { entry["field"] = .string(field) }
            if case DocumentError.invalid(let field, _, _) = error { entry["field"] = .string(field) }
            errors.append(.object(entry))
        }

        var result: JSONValue {
            .object([
                "enrolled": .integer(enrolled), "repeated": .integer(repeated), "failed": .integer(failed),
                "errors": .array(errors),
            ])
        }
    }

    private func run(_ file: ImportFile, _ job: JobHandle) async throws -> JobRecord {
        guard let gallery = file.gallery() else { throw GalleryError.storage("what was received is gone") }
        let total = try await count(file)
        let reader = LineReader(try ImportFile.Lines(file.lines, longest: longestLine))
        var (tally, done) = (Tally(), 0)
        while true {
            let window = try await files.run { try reader.next(Self.atOnce) }
            if window.isEmpty { break }
            try await enrol(window, in: gallery, &tally)
            done += window.count
            await job.report(done, of: total)
        }
        return try await job.finished(tally.result)
    }

    private func count(_ file: ImportFile) async throws -> Int {
        let longest = longestLine
        return try await files.run {
            var (lines, count) = (try ImportFile.Lines(file.lines, longest: longest), 0)
            while try lines.next() != nil { count += 1 }
            return count
        }
    }

    private func enrol(_ window: [ImportFile.Lines.Line], in gallery: String, _ tally: inout Tally) async throws {
        try Task.checkCancellation()
        // Each line after it would fail alike.
        try memory.requireRoomToEnrol()
        let receipts = try await models.enrolling { encoders in
            let prepared = try await prepare(window, encoders, in: gallery)
            return try await commit(prepared, in: gallery)
        }
        for (line, receipt) in zip(window, receipts) {
            switch receipt {
            case .success(let isReplay): if isReplay { tally.repeated += 1 } else { tally.enrolled += 1 }
            case .failure(let error): tally.fail(line.number, error)
            }
        }
    }

    private enum Prepared: Sendable {
        case enrolment(Enrolment)
        case identity(String, label: String?, metadata: Metadata)
        case known
        case failed(any Error)
    }

    private struct Attempt: Sendable {
        let place: Int
        let prepared: Prepared
    }

    private func prepare(
        _ window: [ImportFile.Lines.Line], _ encoders: [any TripleEncoder], in gallery: String
    ) async throws -> [Prepared] {
        try await withThrowingTaskGroup(of: Attempt.self) { group in
            for (place, line) in window.enumerated() {
                group.addTask { Attempt(place: place, prepared: try await prepare(line, encoders, in: gallery)) }
            }
            var attempts: [Attempt] = []
            for try await attempt in group { attempts.append(attempt) }
            return attempts.sorted { $0.place < $1.place }.map(\.prepared)
        }
    }

    private func prepare(
        _ line: ImportFile.Lines.Line, _ encoders: [any TripleEncoder], in gallery: String
    ) async throws -> Prepared {
        do {
            guard let bytes = line.bytes else {
                throw DocumentError.invalid(field: "line", expected: "at most \(longestLine) bytes", found: "more")
            }
            switch try await files.run({ try ImportLine(bytes) }).content {
            case .identity(let name, let label, let metadata): return .identity(name, label: label, metadata: metadata)
            case .sighting(let sighting): return try await prepare(sighting, encoders, in: gallery)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            if case GalleryError.busy = error { throw error }
            return .failed(error)
        }
    }

    private func prepare(
        _ sighting: NewSighting, _ encoders: [any TripleEncoder], in gallery: String
    ) async throws -> Prepared {
        var enrolment = try await sighting.enrolment(files)
        if try await self.gallery.enrolled(before: enrolment, in: gallery) != nil { return .known }
        let images = sighting.images.sorted { $0.key < $1.key }.map(EnrolmentService.kept)
        if keepsImages { enrolment.images = images }
        let active = encoders[0]
        if let vectors = sighting.vectors, sighting.images.isEmpty || vectors.model == active.model {
            enrolment.embeddings = [vectors.embedding(active)]
        }
        let missing = enrolment.embeddings.isEmpty ? encoders : Array(encoders.dropFirst())
        for encoder in images.isEmpty ? [] : missing {
            for modality in sighting.images.keys.sorted() where encoder.model == active.model {
                guard encoder.modalities.contains(modality) else {
                    throw EncoderError.unknownModality(found: modality, expected: encoder.modalities)
                }
            }
            if let encoded = try await encoding.encodeInBackground(images, with: encoder) {
                enrolment.embeddings.append(encoded.embedding.stored(by: encoder))
            }
        }
        return .enrolment(enrolment)
    }

    /// Whether each was known already.
    private func commit(_ prepared: [Prepared], in gallery: String) async throws -> [Result<Bool, any Error>] {
        var results: [Result<Bool, any Error>] = []
        var pending: [Enrolment] = []
        func flush() async throws {
            if pending.isEmpty { return }
            results += try await self.gallery.enrol(pending, in: gallery).map { $0.map(\.isReplay) }
            pending = []
        }
        for one in prepared {
            if case .enrolment(let enrolment) = one {
                pending.append(enrolment)
                continue
            }
            // In their order: an identity comes before its sightings.
            try await flush()
            switch one {
            case .enrolment: break
            case .known: results.append(.success(true))
            case .failed(let error): results.append(.failure(error))
            case .identity(let name, let label, let metadata):
                results.append(try await identity(name, label, metadata, in: gallery))
            }
        }
        try await flush()
        return results
    }

    private func identity(
        _ name: String, _ label: String?, _ metadata: Metadata, in gallery: String
    ) async throws -> Result<Bool, any Error> {
        do {
            _ = try await self.gallery.createIdentity(name, in: gallery, label: label, metadata: metadata)
            return .success(false)
        } catch GalleryError.alreadyExists {
            return .success(true)
        } catch let error as GalleryError {
            if case .invalid = error { return .failure(error) }
            throw error
        }
    }
}

/// Reads a file's lines on whichever thread asks.
private final class LineReader: Sendable {
    private let lines: Mutex<ImportFile.Lines>

    init(_ lines: sending ImportFile.Lines) { self.lines = Mutex(lines) }

    func next(_ most: Int) throws -> [ImportFile.Lines.Line] {
        try lines.withLock { try $0.next(most, bytes: 64 << 20) }
    }
}
