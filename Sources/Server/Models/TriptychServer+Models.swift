import Foundation
import Gallery
import Inference
import Logging

extension TriptychServer {
    static func catalog(
        _ configuration: ServerConfiguration, _ gallery: GalleryStore, _ logger: Logger
    ) async throws -> ModelCatalog {
        do {
            return try await ModelCatalog(
                folder: URL(fileURLWithPath: configuration.modelsFolder), gallery: gallery, logger: logger)
        } catch let error as ModelError {
            throw ServerError.models("\(error)")
        }
    }

    /// The model to start with: the one that was made active last, else the configuration's checkpoint, which becomes it.
    ///
    /// Throws `ServerError.models` if the model that was active is gone, `CheckpointError`, `WeightsError`, `EncoderError`
    /// or `GalleryError`.
    public static func activeEncoder(
        _ configuration: ServerConfiguration, gallery: GalleryStore, logger: Logger
    ) async throws -> any TripleEncoder {
        let catalog = try await catalog(configuration, gallery, logger)
        let active = try await gallery.activeModel()
        do {
            if let active, (try? catalog.summary(active)) != nil { return try await catalog.encoder(active) }
            guard !configuration.checkpoint.isEmpty else {
                throw ServerError.models(
                    "no model is active yet: expected a checkpoint in the configuration or as --checkpoint")
            }
            // Read as a checkpoint first, for an error that names its path.
            let digest = try Checkpoint.load(path: configuration.checkpoint).digest
            if let active, active != digest {
                throw ServerError.models(
                    "the active model \(active) is not in \(configuration.modelsFolder), and \(configuration.checkpoint) "
                        + "is another (\(digest)): expected the file back, or the active model's as the checkpoint")
            }
            let encoder = try await catalog.add(copyOf: configuration.checkpoint)
            try await gallery.activate(digest)
            return encoder
        } catch let error as ModelError {
            throw ServerError.models("\(error)")
        }
    }
}
