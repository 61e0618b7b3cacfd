import Foundation
import Gallery
import Inference
import Logging
import Tensor
import Threads

extension TriptychServer {
    /// Opens the gallery and loads the model that was active last, else the configuration's checkpoint, which becomes it.
    ///
    /// Throws `ServerError`, among others if the model that was active is gone, `CheckpointError`, or `GalleryError`.
    public static func opened(_ configuration: ServerConfiguration, logger: Logger) async throws -> TriptychServer {
        try configuration.validate()
        // Before a database is made: a first start that fails leaves nothing behind.
        let isFirst = !FileManager.default.fileExists(atPath: configuration.database)
        let source = isFirst ? try await source(configuration) : nil
        var options = GalleryConfiguration()
        options.keepsImages = configuration.keepsImages
        let gallery = try await GalleryStore.open(path: configuration.database, configuration: options)
        do {
            let metrics = ServerMetrics()
            let catalog = try await catalog(configuration, gallery, metrics, logger)
            let encoder = try await activeEncoder(configuration, catalog, gallery, source)
            return TriptychServer(configuration, encoder, catalog, gallery, metrics, logger)
        } catch let error as ModelError {
            throw ServerError.models("\(error)")
        }
    }

    /// Throws `ModelError` and `GalleryError`.
    static func catalog(
        _ configuration: ServerConfiguration, _ gallery: GalleryStore, _ metrics: ServerMetrics, _ logger: Logger
    ) async throws -> ModelCatalog {
        var batching = Batching()
        batching.most = configuration.batching.most
        batching.wait = .milliseconds(configuration.batching.waitMilliseconds)
        batching.observe = metrics.computed
        return try await ModelCatalog(
            folder: URL(fileURLWithPath: configuration.modelsFolder), gallery: gallery,
            memory: MemoryBudget(configured: configuration.swap.memoryBytes), batching: batching, logger: logger)
    }

    private static func source(_ configuration: ServerConfiguration) async throws -> CheckpointFile? {
        guard !configuration.checkpoint.isEmpty else { return nil }
        return try await ComputeThread.background.run { try CheckpointFile(path: configuration.checkpoint) }
    }

    private static func activeEncoder(
        _ configuration: ServerConfiguration, _ catalog: ModelCatalog, _ gallery: GalleryStore, _ read: CheckpointFile?
    ) async throws -> any TripleEncoder {
        let active = try await gallery.activeModel()
        if let active, (try? catalog.summary(active)) != nil { return try await catalog.encoder(active) }
        var source = read
        if source == nil { source = try await self.source(configuration) }
        guard let source else {
            throw ServerError.models(
                "no model is active yet: expected a checkpoint in the configuration or as --checkpoint")
        }
        let digest = source.checkpoint.digest
        if let active, active != digest {
            throw ServerError.models(
                "the active model \(active) is not in \(configuration.modelsFolder), and \(configuration.checkpoint) "
                    + "is another (\(digest)): expected the file back, or the active model's as the checkpoint")
        }
        let encoder = try await catalog.add(source)
        try await gallery.activate(digest)
        return encoder
    }
}
