import Gallery
import Hummingbird

/// GET `/v1/servers`.
struct ServerEndpoints {
    let gallery: GalleryStore

    private struct List: Encodable {
        /// Up to where this server's index goes, and the last transaction that it knows of.
        let sequence: Int64
        let newest: Int64
        let leader: Bool
        let items: [GalleryMember]
    }

    func add(to router: Router<ServerContext>) {
        router.get("/v1/servers") { _, _ in
            let following = gallery.following
            return try await Answer.json(
                List(
                    sequence: following.sequence, newest: following.newest, leader: gallery.isLeader,
                    items: gallery.members()))
        }
    }
}
