import Foundation

/// What sightings belong to: one vehicle or person.
public struct IdentityRecord: Codable, Equatable, Sendable {
    /// The client's identifier, unique in the gallery: 1–128 printable characters.
    public let id: String
    /// For people to read.
    public let label: String?
    /// The client's own.
    public let metadata: Metadata
    /// Whether its sightings are told as events of their own.
    public let watchlist: Bool
    /// When it was made.
    public let createdAt: Date
    /// When it was last patched.
    public let updatedAt: Date
    /// How many sightings it has.
    public let sightings: Int
    /// When the last of these was seen, or else enrolled; nil if there is none.
    public let lastSeen: Date?

    private enum CodingKeys: String, CodingKey {
        case id, label, metadata, watchlist, sightings
        case createdAt = "created_at"
        case updatedAt = "updated_at"
        case lastSeen = "last_seen"
    }
}

/// An identity to be made.
public struct NewIdentity: Sendable {
    /// 1–128 printable characters.
    public let id: String
    /// For people to read.
    public let label: String?
    /// The client's own.
    public let metadata: Metadata
    /// Whether its sightings are told as events of their own.
    public let watchlist: Bool
    /// Identities that are there and that it is not the same as.
    public let distinctFrom: [String]

    /// An identity as given.
    public init(
        _ id: String, label: String? = nil, metadata: Metadata = [:], watchlist: Bool = false,
        distinctFrom: [String] = []
    ) {
        (self.id, self.label, self.metadata, self.watchlist) = (id, label, metadata, watchlist)
        self.distinctFrom = distinctFrom
    }
}

/// What to change of an identity.
public struct IdentityPatch: Sendable {
    /// A new value, or the old one.
    public enum Change<Value: Sendable>: Sendable {
        /// Leave it.
        case keep
        /// Replace it.
        case set(Value)
    }

    /// The label; `.set(nil)` takes it away.
    public var label: Change<String?>
    /// The whole metadata object.
    public var metadata: Change<Metadata>
    /// Whether its sightings are told as events of their own.
    public var watchlist = Change<Bool>.keep

    /// A patch that changes what is given.
    public init(label: Change<String?> = .keep, metadata: Change<Metadata> = .keep) {
        self.label = label
        self.metadata = metadata
    }
}
