import Gallery
import Logging
import ServiceLifecycle

/// What goes on beside the requests: resumes the job that the last end cut off, and watches the models' folder.
struct ModelMaintenance: ServiceLifecycle.Service {
    let service: Service
    let logger: Logger

    func run() async throws {
        await resume()
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await service.catalog.scan()
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("the models' folder was not read", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: .seconds(2))
            }
        }
        await service.jobs.stop()
    }

    private func resume() async {
        do {
            for job in try await service.gallery.unfinishedJobs() { try await service.start(job) }
        } catch {
            logger.error("a job was not resumed", metadata: ["error": "\(error)"])
        }
    }
}
