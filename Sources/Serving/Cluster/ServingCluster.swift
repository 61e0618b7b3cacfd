import Gallery
import Logging

/// What a server does because others share its database: has its models and jobs be theirs.
package struct ServingCluster: Sendable {
    package let ledger: any SharedLedger
    let files: SharedModels
    let follower: ModelFollower

    /// nil for a server that has its database alone.
    init?(
        _ gallery: GalleryStore, _ models: ModelRegistry, _ catalog: ModelCatalog, _ files: SharedModels?,
        _ encoding: EncodingService, share: Double, _ logger: Logger
    ) {
        guard let ledger = gallery.sharedLedger, let files else { return nil }
        (self.ledger, self.files) = (ledger, files)
        let help = EmbeddingHelp(ledger, models.step, logger) { encoder, candidate in
            BackgroundEmbedder(
                encoder: encoder, encoding: encoding, gallery: gallery, standIn: candidate.standIn, share: share)
        }
        follower = ModelFollower(ledger, models, catalog, files, help, logger)
    }

    /// Goes on until the task is cancelled.
    func run(_ jobs: JobFollower, _ gallery: GalleryStore, _ catalog: ModelCatalog, _ logger: Logger) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await NewsLoop(gallery, [.activeModel, .candidateModel], every: .seconds(1)).run {
                    await follower.turn()
                }
            }
            group.addTask {
                await NewsLoop(gallery, [.checkpoints], every: .seconds(2)).run {
                    await logger.attempt("the models' folder was not read") { try await catalog.scan() }
                    await logger.attempt("models were not shared") { try await files.synchronize() }
                }
            }
            group.addTask {
                await NewsLoop(gallery, [.jobs, .leadership], every: .seconds(2)).run {
                    await logger.attempt("jobs were not followed") { try await jobs.turn() }
                }
            }
        }
        await follower.end()
    }
}

extension Logger {
    /// Logs what goes wrong, but for the end.
    func attempt(_ failure: Logger.Message, _ work: () async throws -> Void) async {
        do {
            try await work()
        } catch is CancellationError {
            // The end has come.
        } catch {
            self.error(failure, metadata: ["error": "\(error)"])
        }
    }
}
