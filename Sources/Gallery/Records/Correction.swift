import Foundation

/// A change of what belongs to whom, or a word on it, which can be undone.
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
        /// An identity is not the same as others.
        case distinguish
    }

    /// A UUID.
    public let id: String
    /// What was done.
    public let kind: Kind
    /// The identity that sightings went to, that has another name or that was told apart, as it is called now; nil if it is no more.
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

/// An identity of which a person has said that it is not the same as another.
public struct Distinction: Encodable, Equatable, Sendable {
    /// How many an identity can be told apart from by saying so; merges may give it more.
    public static let most = 1000

    /// Its name.
    public let identity: String
    /// Its label.
    public let label: String?
    /// The correction that said so; nil once that is no longer among the last 10 000.
    public let correction: String?
    /// When it was said.
    public let createdAt: Date
    /// Whether it was made before the other identity.
    public let isEarlier: Bool

    private enum CodingKeys: String, CodingKey {
        case identity, label, correction
        case createdAt = "created_at"
    }
}
