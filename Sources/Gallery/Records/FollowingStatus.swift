import Foundation

/// How far a server's index is behind its database.
public struct FollowingStatus: Sendable, Equatable {
    /// The last transaction whose changes the index holds.
    public let sequence: Int64
    /// The last one that this server knows of.
    public let newest: Int64
    /// How long ago the index was known to hold all that was committed; nil if it is not known to, as after a start or while it is
    /// loaded anew. Zero where no other server may write.
    public let age: Duration?
    /// What keeps it from following.
    public let failure: GalleryError?

    /// Transactions that it has still to follow.
    public var lag: Int64 { max(newest - sequence, 0) }
}

/// A server of a database.
public struct GalleryMember: Sendable, Equatable, Encodable {
    /// As long as it runs.
    public let id: String
    /// Its `GalleryConfiguration.serverName`.
    public let name: String
    /// When it began, by the database's clock.
    public let startedAt: Date
    /// When it last said that it is there, by the same clock.
    public let lastSeen: Date
    /// How far its index was by then.
    public let sequence: Int64
    /// Whether it was the leader by then.
    public let isLeader: Bool
    /// Whether it has been seen within the last quarter of a minute, or if its connection has ended, within two and a half seconds.
    public let isLive: Bool

    private enum CodingKeys: String, CodingKey {
        case id, name, startedAt, lastSeen, sequence
        case isLeader = "leader"
        case isLive = "live"
    }
}
