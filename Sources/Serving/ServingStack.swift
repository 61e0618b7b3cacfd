import Foundation
import Gallery
import Inference
import Logging
import Tensor
import Threads

/// Everything that serves, put together: from one configuration, for whoever brings the requests. No HTTP, no socket.
package struct ServingStack: Sendable {
    package let gallery: GalleryStore
    /// Which model answers, as requests have it.
    package let answering: AnsweringModels
    /// The same as this server has it, whether it answers or not.
    package let registry: ModelRegistry
    package let catalog: ModelCatalog
    package let jobs: JobBoard
    package let encoding: EncodingService
    package let enrolment: EnrolmentService
    package let queries: QueryService
    package let imports: ImportService
    package let surveys: SurveyService
    package let identification: IdentificationService
    package let models: ModelService
    /// nil for a server that has its database alone.
    private let cluster: (parts: ServingCluster, jobs: JobFollower)?
    private let quality: Live<ServingConfiguration.Quality>
    private let retention: Live<ServingConfiguration.Retention>
    private let logger: Logger

    private init(
        _ configuration: ServingConfiguration, _ encoder: any TripleEncoder, _ catalog: ModelCatalog,
        _ shared: SharedModels?, _ gallery: GalleryStore, _ observer: ServingObserver, _ logger: Logger
    ) {
        (self.gallery, self.catalog, self.logger) = (gallery, catalog, logger)
        (quality, retention) = (Live(configuration.quality), Live(configuration.retention))
        registry = ModelRegistry(encoder)
        answering = AnsweringModels(registry)
        Self.report(configuration.encoding.thermalRange, encoder, logger)
        encoding = EncodingService(configuration.encoding, observer: observer)
        let cluster = ServingCluster(
            gallery, registry, catalog, shared, encoding, share: configuration.swap.share, logger)
        let leads: @Sendable () -> Bool = { gallery.isLeader }
        jobs = JobBoard(ledger: gallery.ledger, logger: logger, leads: cluster == nil ? nil : leads)
        gallery.watch { stage, start, end in observer.timed(stage == .search ? .search : .commit, start, end) }
        let files = WorkerThreads("files", count: 2)
        let memory = MemoryBudget(configured: configuration.memoryBytes)
        enrolment = EnrolmentService(
            models: answering, gallery: gallery, encoding: encoding, keepsImages: configuration.keepsImages,
            memory: memory, files: files)
        queries = QueryService(models: answering, gallery: gallery, encoding: encoding)
        let parts = Activation.Parts(
            models: registry, catalog: catalog, gallery: gallery, encoding: encoding, swap: configuration.swap,
            keepsImages: configuration.keepsImages, cluster: cluster)
        imports = ImportService(
            models: answering, gallery: gallery, encoding: encoding, keepsImages: configuration.keepsImages,
            memory: memory, files: files, jobs: jobs, shared: cluster?.ledger,
            folder: Self.importsFolder(configuration, gallery),
            longestLine: 4 * configuration.encoding.imageBytes)
        identification = IdentificationService(
            models: answering, gallery: gallery, encoding: encoding, keepsImages: configuration.keepsImages,
            memory: memory, files: files, quality: quality)
        surveys = SurveyService(models: answering, gallery: gallery, jobs: jobs)
        models = ModelService(
            parts: parts, jobs: jobs, imports: imports,
            uploads: UploadShelf(folder: URL(fileURLWithPath: configuration.modelsFolder), files: files), files: files)
        self.cluster = cluster.map { [models] parts in
            (parts: parts, jobs: JobFollower(parts.ledger, gallery, models, logger))
        }
    }

    /// Where others share the database: takes over which model is active, and gets the one ready that is to be.
    private func joined() async throws -> ServingStack {
        guard let cluster else { return self }
        models.imports.removeOthers(than: try await gallery.ledger.unfinishedJobs())
        await cluster.parts.follower.begin(gallery)
        return self
    }

    private static func shared(_ gallery: GalleryStore, _ catalog: ModelCatalog, _ logger: Logger) -> SharedModels? {
        gallery.sharedLedger.map { SharedModels($0, catalog, logger) }
    }

    /// Returns if this server answers with the model that all do, as soon as it does. Throws `ServingError.outOfStep` if it cannot.
    package func requireInStep() async throws { try await registry.step.require() }

    /// Puts it together around any encoder and an open gallery. Throws `ModelError` or `GalleryError`.
    package static func around(
        _ encoder: any TripleEncoder, gallery: GalleryStore, _ configuration: ServingConfiguration,
        observer: ServingObserver = ServingObserver(), logger: Logger
    ) async throws -> ServingStack {
        let catalog = try await catalog(configuration, gallery, observer, logger)
        let shared = shared(gallery, catalog, logger)
        return try await ServingStack(configuration, encoder, catalog, shared, gallery, observer, logger).joined()
    }

    /// Beside the database's file, or else the models' folder.
    private static func importsFolder(_ configuration: ServingConfiguration, _ gallery: GalleryStore) -> String {
        (GalleryStore.isAddress(gallery.path) ? configuration.modelsFolder : gallery.path) + "-imports"
    }

    /// Opens the gallery and loads the model that was active last, in the precision of its vectors, else the configuration's
    /// checkpoint, which becomes it.
    ///
    /// Throws `StartError` if the model that was active is gone, `ModelError`, `CheckpointError`, or `GalleryError`.
    package static func opened(
        _ configuration: ServingConfiguration, _ options: GalleryConfiguration,
        observer: ServingObserver = ServingObserver(), logger: Logger
    ) async throws -> ServingStack {
        // Before a database is made: a first start that fails leaves nothing behind.
        let isFirst =
            !GalleryStore.isAddress(configuration.database)
            && !FileManager.default.fileExists(atPath: configuration.database)
        let source = isFirst ? try await source(configuration) : nil
        let gallery = try await GalleryStore.open(path: configuration.database, configuration: options)
        report(gallery.damage, logger)
        let catalog = try await catalog(configuration, gallery, observer, logger)
        let shared = shared(gallery, catalog, logger)
        let encoder = try await activeEncoder(configuration, catalog, shared, gallery, source)
        return try await ServingStack(configuration, encoder, catalog, shared, gallery, observer, logger).joined()
    }

    private static func report(_ damage: GalleryDamage, _ logger: Logger) {
        if damage.lostCommits > 0 {
            logger.error(
                "the database lacks transactions that were committed: its log was lost, or an older copy took its place",
                metadata: ["lost": "\(damage.lostCommits)"])
        }
        if damage.vectors.count > 0 {
            let places = damage.vectors.first.map { "sighting \($0.sighting) of model \($0.model)" }
            logger.error(
                "vectors that cannot be used were set aside; triptych gallery check names them all",
                metadata: ["count": "\(damage.vectors.count)", "first": "\(places.joined(separator: ", "))"])
        }
    }

    /// A range that the model was not trained with would change what its images mean: it is not used.
    private static func report(_ range: ClosedRange<UInt16>?, _ encoder: any TripleEncoder, _ logger: Logger) {
        guard let range else { return }
        for modality in encoder.modalities {
            guard let own = encoder.valueRange(modality), own != range else { continue }
            logger.warning(
                "thermal_range is not used: the model has a range of its own",
                metadata: ["modality": "\(modality)", "configured": "\(range)", "model": "\(own)"])
        }
    }

    private static func catalog(
        _ configuration: ServingConfiguration, _ gallery: GalleryStore, _ observer: ServingObserver, _ logger: Logger
    ) async throws -> ModelCatalog {
        var batching = Batching()
        batching.most = configuration.batching.most
        batching.wait = .milliseconds(configuration.batching.waitMilliseconds)
        batching.observe = observer.batched
        let loader = ModelLoader(
            memory: MemoryBudget(configured: configuration.memoryBytes), limits: configuration.models,
            batching: batching, precision: configuration.precision == .bfloat16 ? .bfloat16 : .float32, logger: logger)
        return try await ModelCatalog(
            folder: URL(fileURLWithPath: configuration.modelsFolder), ledger: gallery.ledger, loader: loader,
            logger: logger)
    }

    private static func source(_ configuration: ServingConfiguration) async throws -> CheckpointFile? {
        guard !configuration.checkpoint.isEmpty else { return nil }
        return try await ComputeThread.background.run { try CheckpointFile(path: configuration.checkpoint) }
    }

    private static func activeEncoder(
        _ configuration: ServingConfiguration, _ catalog: ModelCatalog, _ shared: SharedModels?,
        _ gallery: GalleryStore, _ read: CheckpointFile?
    ) async throws -> any TripleEncoder {
        let active = try await gallery.ledger.activeModel()
        if let active, try await catalog.find(active) { return try await catalog.encoder(active) }
        if let active, try await shared?.fetch(active) == true { return try await catalog.encoder(active) }
        var source = read
        if source == nil { source = try await self.source(configuration) }
        guard let source else {
            throw StartError(
                reason: "no model is active yet: expected a checkpoint in the configuration or as --checkpoint")
        }
        let digest = source.checkpoint.digest
        if let active, !ModelSummary.names(digest).contains(active) {
            throw StartError(
                reason: "the active model \(active) is not in \(configuration.modelsFolder), and "
                    + "\(configuration.checkpoint) is another (\(digest)): expected the file back, or the active "
                    + "model's as the checkpoint")
        }
        let encoder = try await catalog.add(source)
        if let active, active != encoder.model { return try await catalog.encoder(active) }
        try await shared?.publish(digest)
        try await gallery.ledger.activate(encoder.model, finishing: nil, moving: nil)
        return encoder
    }

    /// From now on demands of images what another configuration does, and keeps for as long what is written down.
    package func adopt(_ configuration: ServingConfiguration) {
        quality.set(configuration.quality)
        retention.set(configuration.retention)
    }

    /// Goes on beside the requests until the task is cancelled: resumes the jobs that the last end cut off, watches the
    /// models' folder, forgets jobs, events, audits and unfinished uploads that are old, and erases what its gallery keeps no longer. Then
    /// stops the jobs.
    ///
    /// Where others share the database, the leader alone does what one does for all.
    package func maintain() async {
        await withTaskGroup(of: Void.self) { group in
            if let cluster {
                group.addTask { await cluster.parts.run(cluster.jobs, gallery, catalog, logger) }
            }
            group.addTask { await tidy() }
        }
        await jobs.stop()
    }

    private func tidy() async {
        if cluster == nil { await logger.attempt("jobs were not resumed") { try await models.resumeJobs() } }
        var round = 0
        while !Task.isCancelled {
            if cluster == nil { await logger.attempt("the models' folder was not read") { try await catalog.scan() } }
            if round % 1800 == 0 {
                await logger.attempt("what is old was not forgotten") { try await forget() }
            }
            if round % 150 == 0, gallery.isLeader {
                await logger.attempt("old sightings were not erased") { try await eraseExpired() }
            }
            round += 1
            try? await Task.sleep(for: .seconds(2))
        }
    }

    private func eraseExpired() async throws {
        let count = try await gallery.eraseExpired()
        if count > 0 { logger.info("erased sightings past their gallery's retention", metadata: ["count": "\(count)"]) }
    }

    private func forget() async throws {
        try await models.uploads.removeExpired()
        guard gallery.isLeader else { return }
        let retention = retention.current
        let before = { (days: Int) in Date(timeIntervalSinceNow: -86_400 * Double(days)) }
        try await gallery.ledger.deleteJobs(endedBefore: before(retention.jobs))
        try await gallery.forgetEvents(before: before(retention.events))
        try await gallery.ledger.forgetAudit(before: before(retention.audit))
    }
}

/// Why serving cannot begin.
package struct StartError: Error, CustomStringConvertible {
    package let reason: String
    package var description: String { reason }
}
