import Foundation

/// How a map is made.
public struct MapOptions: Sendable, Equatable {
    /// How many sightings it shows at most, 2 to 20 000: one of each identity, then another of each that has more, and so on.
    public var samples = 2000
    /// How many neighbours a sighting has, about: 2 to 100, and no more than a third of the sightings.
    public var perplexity = 30.0
    /// What is drawn by: which sightings, and where they begin within a hundredth.
    public var seed: UInt64 = 1

    /// The defaults.
    public init() {}

    func validate() throws {
        try Validation.require((2...20_000).contains(samples), "samples", "2 to 20000", "\(samples)")
        try Validation.require((2...100).contains(perplexity), "perplexity", "2 to 100", "\(perplexity)")
    }
}

/// A two-dimensional map of a gallery's embeddings, without its points.
public struct GalleryMap: Sendable, Equatable, Codable {
    /// The model whose embeddings they are.
    public let model: String
    /// What was drawn by.
    public let seed: UInt64
    /// Sightings that there were.
    public let sightings: Int
    /// Of how many identities.
    public let identities: Int
    /// How many of them it shows.
    public let samples: Int
    /// How many neighbours a sighting has, about.
    public let perplexity: Double
    /// Steps of the layout.
    public let iterations: Int
    /// How far neighbours on the map are neighbours in truth, 0 to 1 (Venna and Kaski, 2001), for the nearest twelve; nil for a map
    /// of fewer than 25 points.
    public let trustworthiness: Double?
}

/// A sighting on a map, as it is known now.
public struct MapPoint: Sendable, Equatable, Encodable {
    /// Its identifier.
    public let sighting: String
    /// Whose it is.
    public let identity: String
    /// The identity's label.
    public let label: String?
    /// Where it was seen.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// Of its vectors, sorted.
    public let modalities: [String]
    /// From −1 to 1; the map's longer side is all of it.
    public let x: Float
    /// From −1 to 1, at the same scale.
    public let y: Float
}

/// A part of a map. What was erased since it was made is not on it.
public struct MapPage: Sendable {
    /// The map; another one has another identifier.
    public let id: Int64
    /// What it is.
    public let map: GalleryMap
    /// When it was made.
    public let createdAt: Date
    /// In order of enrolment.
    public let points: Page<MapPoint>
}
