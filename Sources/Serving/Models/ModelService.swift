import Foundation
import Gallery
import Inference
import Threads

/// What is done with models as a whole: listed, taken in, activated, compared, deleted.
package struct ModelService: Sendable {
    let parts: Activation.Parts
    let jobs: JobBoard
    let imports: ImportService
    /// Checkpoints that come in pieces.
    package let uploads: UploadShelf
    /// For what is received: a slow disk holds up nothing else.
    let files: WorkerThreads

    private var models: ModelRegistry { parts.models }
    private var catalog: ModelCatalog { parts.catalog }
    private var gallery: GalleryStore { parts.gallery }

    /// Models in order of their names, as they stand here. Throws `GalleryError.invalid` for a bad cursor.
    package func page(limit: Int, after cursor: String?) async throws -> Page<ServedModel> {
        let page = try catalog.page(limit: limit, after: cursor, with: models.active.model)
        return Page(items: try await served(page.items), next: page.next)
    }

    /// Throws `ModelError.notFound`.
    package func model(_ model: String) async throws -> ServedModel {
        try await served([try catalog.summary(model)])[0]
    }

    private func served(_ summaries: [ModelSummary]) async throws -> [ServedModel] {
        let active = models.active.model
        let coverage = try await gallery.models()
        let activations = try await gallery.ledger.unfinishedJobs().filter { $0.kind == JobKind.activation.rawValue }
        return summaries.map { summary in
            ServedModel(
                summary: summary, isActive: summary.model == active,
                activation: activations.first { $0.model == summary.model }?.id,
                sightings: coverage.first { $0.model == summary.model }?.sightings ?? 0)
        }
    }

    /// A file for a checkpoint that is about to be received.
    package func upload() -> CheckpointUpload { CheckpointUpload(file: catalog.partial(), files: files) }

    /// Verifies what was received, and takes it in. What may pass another time is left where it is. Throws `ModelError`.
    ///
    /// - Parameters:
    ///   - upload: whole.
    ///   - model: the digest that it must have; nil for any.
    /// - Returns: what it is, and whether it is new here.
    package func take(
        _ upload: CheckpointUpload, expecting model: String? = nil
    ) async throws -> (model: ServedModel, isNew: Bool) {
        let (summary, isNew) = try await catalog.take(upload.file, expecting: model)
        // Before anybody is told that it is here: a server that ends now takes it from nobody.
        try await parts.cluster?.files.publish(summary.digest)
        return (try await served([summary])[0], isNew)
    }

    /// Goes on with an upload: appends what `receive` is given to append it to, and takes it in once it is whole. What has come
    /// stays, whatever happens, unless the whole is refused.
    ///
    /// - Parameters:
    ///   - id: the upload.
    ///   - offset: where the piece begins.
    ///   - receive: hands the piece on, of at most so many bytes.
    /// - Throws: `ModelError`: `.uploadOffset` if the piece does not begin where the last one ended, and whatever `take` throws.
    /// - Returns: what is expected next, or the model and whether it is new here.
    package func resume(
        _ id: String, at offset: Int, _ receive: (CheckpointUpload, _ most: Int) async throws -> Void
    ) async throws -> Resumed {
        try await uploads.exclusively(id) { upload, file in
            guard upload.offset == offset else {
                throw ModelError.uploadOffset(expected: upload.offset, found: offset)
            }
            try await receive(file, upload.bytes - offset)
            try await file.synchronize()
            let now = try await uploads.upload(id)
            guard now.offset == now.bytes else { return .partial(now) }
            let (model, isNew) = try await take(file, expecting: now.model)
            return .whole(model, isNew: isNew)
        }
    }

    /// What a piece has made of an upload.
    package enum Resumed: Sendable {
        case partial(PartialUpload)
        case whole(ServedModel, isNew: Bool)
    }

    /// Deletes a model with all its vectors, at every server. Throws `ModelError`.
    package func delete(_ model: String) async throws {
        let digest = (try? catalog.summary(model))?.digest ?? model
        let names = ModelSummary.names(digest)
        try await jobs.withoutJob(of: model) {
            let active = [models.active.model, try await gallery.ledger.activeModel()].compactMap(\.self)
            guard names.allSatisfy({ !active.contains($0) }) else { throw ModelError.active(model) }
            let isShared = try await parts.cluster?.files.isShared(digest) ?? false
            // First, so that it is not fetched again.
            if isShared { try await parts.cluster?.files.withdraw(digest) }
            if !isShared || catalog.digests.contains(digest) { try await catalog.remove(model) }
            for name in names { try await gallery.deleteEmbeddings(model: name) }
        }
    }

    /// Begins to make a model the active one, computed as configured, or to compare it with that. Throws `ModelError` and
    /// `GalleryError`.
    package func activate(_ model: String, isDry: Bool, allowsFewerModalities: Bool) async throws -> JobStatus {
        // Another server may have been sent it just now.
        _ = try await parts.cluster?.files.fetch(model)
        let model = try catalog.configured(model)
        let kind = isDry ? JobKind.comparison : .activation
        var job = JobRecord(kind: kind.rawValue, model: model)
        if isDry {
            try await catalog.requireMemory(for: model, vectors: 0)
        } else if models.active.model == model, try await jobs.isIdle(.model) {
            // Nothing to do, and so it is done.
            job.state = .succeeded
            try await gallery.ledger.save(job)
            return JobStatus(record: job)
        } else {
            try await Activation(of: model, parts).check(allowsFewerModalities: allowsFewerModalities)
        }
        // The leader must find it.
        try await parts.cluster?.files.publish(catalog.summary(model).digest)
        try await start(job, kind)
        return try await jobs.job(job.id)
    }

    /// Of jobs that nobody can go on with.
    static let askAgain = "the server ended meanwhile: ask again"

    /// Starts what the last end cut off or kept waiting. Throws `GalleryError`.
    package func resumeJobs() async throws {
        let unfinished = try await gallery.ledger.unfinishedJobs()
        imports.removeOthers(than: unfinished)
        for job in unfinished {
            if let kind = JobKind(rawValue: job.kind), kind.isResumed {
                try await start(job, kind)
            } else {
                try await fail(job)
            }
        }
        try await beginUpkeep()
    }

    private func fail(_ job: JobRecord) async throws {
        var failed = job
        failed.state = .failed
        failed.reason =
            JobKind(rawValue: job.kind) == nil
            ? "this release knows no job of the kind \(job.kind)" : Self.askAgain
        try await gallery.ledger.save(failed)
    }

    /// Takes up those jobs that are the leader's and that it is not at yet. Throws `GalleryError`.
    func takeUp(_ unfinished: [JobRecord]) async throws {
        for job in unfinished {
            guard let kind = JobKind(rawValue: job.kind) else {
                try await fail(job)
                continue
            }
            // One that is not on the board any more may have ended since.
            guard kind.isResumed, await jobs.entry(job.id) == nil,
                try await gallery.ledger.job(job.id).state == .running
            else { continue }
            await jobs.takeUp(job, kind, work(job, kind))
        }
    }

    /// Begins what the active model needs of itself: vectors that it lacks, or those of the precision that it is computed in. Throws
    /// `GalleryError`.
    func beginUpkeep() async throws {
        try await reembed()
        try await adoptPrecision()
    }

    /// Begins to activate the active model as it is computed now, if its vectors were made in another precision. Where that may
    /// not be it stays as it was, and a failed job says why.
    private func adoptPrecision() async throws {
        let active = models.active.model
        guard let model = try? catalog.configured(active), model != active else { return }
        let kind = JobKind.activation
        if try await gallery.ledger.unfinishedJobs().contains(where: { $0.kind == kind.rawValue && $0.model == model })
        {
            return
        }
        var job = JobRecord(kind: kind.rawValue, model: model)
        do {
            try await Activation(of: model, parts).check(allowsFewerModalities: false)
        } catch let error as ModelError {
            (job.state, job.reason) = (.failed, "\(error)")
            return try await gallery.ledger.save(job)
        }
        try await start(job, kind)
    }

    /// Begins to embed what the active model lacks and has images, if there is any.
    private func reembed() async throws {
        let model = models.active.model
        guard try await Reembedding.count(models.active, gallery) > 0 else { return }
        let unfinished = try await gallery.ledger.unfinishedJobs()
        if unfinished.contains(where: { $0.kind == JobKind.reembedding.rawValue && $0.model == model }) { return }
        try await start(JobRecord(kind: JobKind.reembedding.rawValue, model: model), .reembedding)
    }

    private func start(_ job: JobRecord, _ kind: JobKind) async throws {
        try await jobs.start(job, kind, work(job, kind))
    }

    private func work(_ job: JobRecord, _ kind: JobKind) -> JobBoard.Work {
        let (model, parts, imports) = (job.model ?? "", parts, imports)
        return { handle in
            // Another server may have been asked for it.
            if kind != .importing { _ = try await parts.cluster?.files.fetch(model) }
            return switch kind {
            case .activation: try await Activation(of: model, parts).run(handle)
            case .comparison: try await ShadowEvaluation(model: model, parts: parts).run(handle)
            case .reembedding: try await Reembedding(model: model, parts: parts).run(handle)
            case .importing: try await imports.run(handle)
            case .grouping, .calibration, .evaluation, .mapping: throw CancellationError()
            }
        }
    }
}
