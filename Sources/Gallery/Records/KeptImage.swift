import Foundation

/// An image of a sighting, as the client sent it.
public struct KeptImage: Equatable, Sendable {
    /// What it was taken in: 1–32 lower-case letters, digits, '_' and '-'.
    public let modality: String
    /// Its media type.
    public let contentType: String
    /// The file.
    public let bytes: Data

    /// An image.
    public init(modality: String, contentType: String, bytes: Data) {
        self.modality = modality
        self.contentType = contentType
        self.bytes = bytes
    }
}

/// A sighting that a model has not embedded yet.
public struct PendingSighting: Equatable, Sendable {
    /// Grows with enrolment: the place to go on from.
    public let key: Int64
    /// The gallery's name.
    public let gallery: String
    /// The sighting's identifier.
    public let sighting: String
    /// Its kept images, possibly none.
    public let images: [KeptImage]
}
