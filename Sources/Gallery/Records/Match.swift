import Foundation

/// A sighting that answers a query.
public struct Match: Codable, Equatable, Sendable {
    /// Whose sighting it is.
    public let identity: String
    /// The identity's label.
    public let label: String?
    /// Cosine, −1 to 1.
    public let score: Float
    /// The sighting's identifier.
    public let sighting: String
    /// Where it was seen.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// The sighting's.
    public let metadata: Metadata
    /// The cosine of each modality alone that both sides have, where that was asked for.
    public var byModality: [String: Float]?

    private enum CodingKeys: String, CodingKey {
        case identity, label, score, sighting, camera, metadata
        case capturedAt = "captured_at"
        case byModality = "by_modality"
    }
}

/// How much work a search was.
public struct SearchStatistics: Codable, Equatable, Sendable {
    /// How many sightings were eligible.
    public let rows: Int
    /// How many more there were that have nothing to be compared with the query by.
    public let incomparable: Int
    /// How many of them had to be scored in float32.
    public let candidates: Int
}

/// The answer to a query.
public struct QueryResult: Codable, Equatable, Sendable {
    /// Best first; equal scores in order of enrolment.
    public internal(set) var matches: [Match]
    /// True if nothing reached the threshold, or there was nothing to match.
    public let unknown: Bool
    /// How much work it was.
    public let statistics: SearchStatistics
}
