import Foundation

/// A sighting that answers a query.
public struct Match: Codable, Equatable, Sendable {
    /// Whose sighting it is.
    public let identity: String
    /// The identity's label.
    public let label: String?
    /// Cosine, −1 to 1; or what several of them make, see ``GalleryQuery``.
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
    /// The cosine with each exemplar, in their order, where that was asked for; nil where there is nothing to compare.
    public var byExemplar: [Float?]?
    /// How many of the identity's sightings the score comes from, where it is not the best one's.
    public var counted: Int?
    /// In which gallery it is, where several were searched.
    public var gallery: String?

    private enum CodingKeys: String, CodingKey {
        case identity, label, score, sighting, camera, metadata, counted, gallery
        case capturedAt = "captured_at"
        case byModality = "by_modality"
        case byExemplar = "by_exemplar"
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
    /// Whether sightings may be missing that are nearer: an index of the database was asked, which finds nearly all. Scores are exact.
    public var isApproximate = false

    private enum CodingKeys: String, CodingKey {
        case rows, incomparable, candidates
        case isApproximate = "approximate"
    }
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
