import Foundation

/// A change of what belongs to whom, which can be undone.
public struct Correction: Codable, Equatable, Sendable {
    /// What was done.
    public enum Kind: String, Codable, Sendable {
        /// A sighting went to another identity.
        case move
        /// An identity got another name.
        case rename
        /// Identities became one.
        case merge
        /// Some sightings of an identity became another.
        case split
    }

    /// A UUID.
    public let id: String
    /// What was done.
    public let kind: Kind
    /// The identity that sightings went to, or that has another name, as it is called now; nil if it is no more.
    public let identity: String?
    /// How many sightings it has moved that are still there.
    public let sightings: Int
    /// When it was made.
    public let createdAt: Date
    /// When it was undone.
    public let undoneAt: Date?

    private enum CodingKeys: String, CodingKey {
        case id, kind, identity, sightings
        case createdAt = "created_at"
        case undoneAt = "undone_at"
    }
}
