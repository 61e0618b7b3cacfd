import Gallery
import Logging
import ServiceLifecycle
import Serving

/// Keeps what this server holds of its database in memory as other servers have changed it there: keys, and how many servers there
/// are to share a rate.
struct ClusterWatch: ServiceLifecycle.Service {
    /// How often it looks, even if there was no news.
    private static let pause = Duration.seconds(5)

    let gallery: GalleryStore
    let keys: KeyRing
    /// Servers that are there, this one among them.
    let servers: Live<Int>
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await NewsLoop(gallery, [.accessKeys], every: Self.pause).run { await look() }
        }
    }

    /// What cannot be read now is read the next time.
    private func look() async {
        do {
            try await keys.read()
            servers.set(max(1, try await gallery.members().count { $0.isLive }))
        } catch {
            logger.warning("what other servers have changed was not read", metadata: ["error": "\(error)"])
        }
    }
}
