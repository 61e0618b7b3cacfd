import Foundation
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
        let items: [Member]
    }

    private struct Member: Encodable {
        let id: String
        let name: String
        let startedAt: Date
        let lastSeen: Date
        let sequence: Int64
        let leader: Bool
        let live: Bool

        init(_ member: GalleryMember) {
            (id, name, startedAt, lastSeen) = (member.id, member.name, member.startedAt, member.lastSeen)
            (sequence, leader, live) = (member.sequence, member.isLeader, member.isLive)
        }
    }

    func add(to router: Router<ServerContext>) {
        router.get("/v1/servers") { _, _ in
            let following = gallery.following
            return try await Answer.json(
                List(
                    sequence: following.sequence, newest: following.newest, leader: gallery.isLeader,
                    items: gallery.members().map(Member.init)))
        }
    }
}
