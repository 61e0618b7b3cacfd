import Foundation

/// What makes a repeated request recognisable.
public struct Idempotency: Equatable, Sendable {
    /// The client's key, unique in the gallery: 1–255 printable characters.
    public let key: String
    /// Of the whole request: the same key with another fingerprint is a conflict.
    public let fingerprint: String

    /// A key and what it stands for.
    public init(key: String, fingerprint: String) {
        self.key = key
        self.fingerprint = fingerprint
    }
}

/// A sighting to be enrolled.
public struct Enrolment: Sendable {
    /// Made if it is new.
    public var identity: String
    /// For the identity, used only if it is new.
    public var identityLabel: String?
    /// Where it was seen: 1–128 printable characters.
    public var camera: String?
    /// When it was seen; kept to the millisecond.
    public var capturedAt: Date?
    /// The client's own.
    public var metadata: Metadata
    /// At most one a modality. Not stored if the store keeps no images.
    public var images: [KeptImage]
    /// At most one a model.
    public var embeddings: [SightingEmbedding]
    /// If the request may be repeated.
    public var idempotency: Idempotency?
    /// The model that was active when it was embedded. Where servers share a database, and another one is by the time of the commit
    /// that has not embedded it, the enrolment throws `GalleryError.modelChanged`. nil to enrol it in any case.
    public var activeModel: String?

    /// A sighting of an identity.
    public init(
        identity: String, identityLabel: String? = nil, camera: String? = nil, capturedAt: Date? = nil,
        metadata: Metadata = [:], images: [KeptImage] = [], embeddings: [SightingEmbedding] = [],
        idempotency: Idempotency? = nil
    ) {
        self.identity = identity
        self.identityLabel = identityLabel
        self.camera = camera
        self.capturedAt = capturedAt
        self.metadata = metadata
        self.images = images
        self.embeddings = embeddings
        self.idempotency = idempotency
    }
}

/// The answer to an enrolment, given after its commit.
public struct EnrolmentReceipt: Equatable, Sendable {
    /// The sighting, this request's or the original's.
    public let sighting: SightingRecord
    /// True if an earlier request with the same idempotency key had enrolled it.
    public let isReplay: Bool
}

/// What a model made of a sighting that is enrolled already.
public struct EmbeddingAddition: Sendable {
    /// The gallery's name.
    public let gallery: String
    /// The sighting's identifier.
    public let sighting: String
    /// What the model made of it.
    public let embedding: SightingEmbedding

    /// An addition as given.
    public init(_ embedding: SightingEmbedding, to sighting: String, in gallery: String) {
        (self.embedding, self.sighting, self.gallery) = (embedding, sighting, gallery)
    }
}
