import Documents
import Foundation

/// Something that has happened, as whoever follows it is told.
public struct GalleryEvent: Encodable, Equatable, Sendable {
    /// What has happened.
    public enum Kind: String, Codable, CaseIterable, Sendable {
        /// A sighting was enrolled under an identity that its sender has named; not those of imports.
        case enrolled
        /// A passage was recognised.
        case matched
        /// A passage was nobody's, and has a new identity.
        case new
        /// A sighting of an identity on the watchlist was enrolled or recognised; comes after `enrolled` or `matched`.
        case watchlist
        /// Sightings were erased; `detail` has their identifiers, no more than a thousand, and `count`. Of a gallery that was
        /// erased it has the name alone.
        case erased
        /// Another model answers; `detail` has both.
        case model
    }

    /// Its place among all: rising, without a promise to be dense.
    public let id: Int64
    /// What has happened.
    public let kind: Kind
    /// When.
    public let at: Date
    /// Where; nil for what concerns the whole server.
    public let gallery: String?
    /// Whose the sighting is by now.
    public let identity: String?
    /// The identity's label.
    public let label: String?
    /// The sighting, of a passage its first.
    public let sighting: String?
    /// Who has seen it.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// The cosine by which it was recognised.
    public let score: Float?
    /// What else there is to say.
    public let detail: JSONValue?

    private enum CodingKeys: String, CodingKey {
        case id, kind, at, gallery, identity, label, sighting, camera, score, detail
        case capturedAt = "captured_at"
    }
}

/// Which events someone wants to know of.
public struct EventFilter: Codable, Equatable, Sendable {
    /// Of these galleries; nil for all, and what concerns the whole server.
    public var galleries: [String]?
    /// Of these cameras; nil for all.
    public var cameras: [String]?
    /// Of these identities; nil for all.
    public var identities: [String]?
    /// Of these kinds; nil for all.
    public var kinds: [GalleryEvent.Kind]?

    /// All.
    public init() {}

    /// Throws `GalleryError.invalid`.
    package func validate() throws {
        for (name, values) in [("galleries", galleries), ("cameras", cameras), ("identities", identities)] {
            guard let values else { continue }
            try Validation.require((1...100).contains(values.count), name, "1 to 100 names", "\(values.count)")
            for value in values { try Validation.text(value, name, limit: 128) }
        }
        if let kinds { try Validation.require(!kinds.isEmpty, "kinds", "at least one", "none") }
    }
}

/// The next events of someone who follows them.
public struct EventBatch: Sendable {
    /// In order; may be empty.
    public let events: [GalleryEvent]
    /// Where to go on: after this one nothing was left out that the filter admits.
    public let last: Int64
    /// Whether some before these are not there any more because of their age, or never were in this database.
    public let hasGap: Bool
}
