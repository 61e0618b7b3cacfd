import Foundation

/// A named set of identities.
public struct GalleryRecord: Codable, Equatable, Sendable {
    /// 1–64 characters of A–Z, a–z, 0–9, '.', '_' and '-'.
    public let name: String
    /// For people to read.
    public let label: String?
    /// The client's own.
    public let metadata: Metadata
    /// When it was made.
    public let createdAt: Date
    /// After how many days a sighting is erased, from when it was seen, or else enrolled; nil for never.
    public let retentionDays: Int?

    private enum CodingKeys: String, CodingKey {
        case name, label, metadata
        case createdAt = "created_at"
        case retentionDays = "retention_days"
    }
}

/// What to change of a gallery.
public struct GalleryPatch: Sendable {
    /// The label; `.set(nil)` takes it away.
    public var label = IdentityPatch.Change<String?>.keep
    /// The whole metadata object.
    public var metadata = IdentityPatch.Change<Metadata>.keep
    /// Days, 1–36500; `.set(nil)` keeps sightings for ever.
    public var retentionDays = IdentityPatch.Change<Int?>.keep

    /// No change.
    public init() {}
}

/// A gallery and how much is in it.
public struct GallerySummary: Codable, Equatable, Sendable {
    /// The gallery.
    public let gallery: GalleryRecord
    /// How many identities it has.
    public let identities: Int
    /// How many sightings they have.
    public let sightings: Int
    /// How many images of them are kept.
    public let images: Int
    /// The sum of the images' sizes.
    public let imageBytes: Int
    /// Which models have embedded how much of it.
    public let models: [ModelCoverage]

    private enum CodingKeys: String, CodingKey {
        case gallery, identities, sightings, images, models
        case imageBytes = "image_bytes"
    }
}
