import Foundation

/// One enrolled triple.
public struct SightingRecord: Codable, Equatable, Sendable {
    /// A UUID of version 7.
    public let id: String
    /// The identity it belongs to.
    public let identity: String
    /// Where it was seen.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// The client's own.
    public let metadata: Metadata
    /// When it was enrolled.
    public let createdAt: Date
    /// Of its kept images, sorted.
    public let modalities: [String]
    /// Where in these it is, by modality; nothing for one that shows it alone.
    public let boxes: [String: PixelBox]

    private enum CodingKeys: String, CodingKey {
        case id, identity, camera, metadata, modalities, boxes
        case capturedAt = "captured_at"
        case createdAt = "created_at"
    }
}

/// What to change of a sighting. An idempotency key stays that of what was sent first.
public struct SightingPatch: Sendable {
    /// Where it was seen; `.set(nil)` takes it away.
    public var camera = IdentityPatch.Change<String?>.keep
    /// When it was seen; `.set(nil)` takes it away.
    public var capturedAt = IdentityPatch.Change<Date?>.keep
    /// The whole metadata object.
    public var metadata = IdentityPatch.Change<Metadata>.keep

    /// No change.
    public init() {}
}

/// Which sightings of a gallery are listed.
public struct SightingListFilter: Sendable, Equatable {
    /// Seen by this camera.
    public var camera: String?
    /// At this time or later; a sighting without a time is not listed then.
    public var capturedAfter: Date?
    /// Before this time.
    public var capturedBefore: Date?
    /// Of these identities.
    public var identities = IdentityListFilter()

    /// All of them.
    public init() {}
}

/// An image of a sighting, as the client sent it.
public struct KeptImage: Equatable, Sendable {
    /// What it was taken in: 1–32 lower-case letters, digits, '_' and '-'.
    public let modality: String
    /// Its media type.
    public let contentType: String
    /// The file.
    public let bytes: Data
    /// Where in it the sighting is; nil for all of it.
    public let box: PixelBox?

    /// An image.
    public init(modality: String, contentType: String, bytes: Data, box: PixelBox? = nil) {
        self.modality = modality
        self.contentType = contentType
        self.bytes = bytes
        self.box = box
    }
}

/// What is known of a kept image without reading it.
public struct ImageRecord: Codable, Equatable, Sendable {
    /// What it was taken in.
    public let modality: String
    /// Its media type.
    public let contentType: String
    /// Its size.
    public let bytes: Int

    private enum CodingKeys: String, CodingKey {
        case modality, bytes
        case contentType = "content_type"
    }
}

/// A sighting with all that is kept of it.
public struct ExportedSighting: Sendable {
    /// What is known of it.
    public let record: SightingRecord
    /// Its kept images, by modality.
    public let images: [KeptImage]
    /// What a model made of it; nil if it has not embedded it.
    public let embedding: SightingEmbedding?
}
