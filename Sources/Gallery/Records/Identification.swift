import Foundation

/// From which cosine on two sightings are of one identity, under a model and over some modalities: scores of different sets are
/// not on one scale.
public struct MatchThreshold: Codable, Equatable, Sendable {
    /// The model's digest.
    public let model: String
    /// What is compared, sorted: what a sighting and a query share.
    public let modalities: [String]
    /// A cosine, −1 to 1.
    public let threshold: Float
    /// Whether it was another model's and is only a guess for this one. A stale one is not used.
    public let isStale: Bool

    /// A threshold as given.
    public init(model: String, modalities: [String], threshold: Float, isStale: Bool = false) {
        (self.model, self.modalities) = (model, modalities.sorted())
        (self.threshold, self.isStale) = (threshold, isStale)
    }

    private enum CodingKeys: String, CodingKey {
        case model, modalities, threshold
        case isStale = "stale"
    }
}

/// Where another model's scores are, compared with those of the active one.
public struct ThresholdShift: Sendable, Equatable {
    /// Two cosines that let as many false matches pass.
    public struct Point: Sendable, Equatable {
        /// Under the active model.
        public let active: Float
        /// Under the other.
        public let other: Float

        /// A point as given.
        public init(active: Float, other: Float) { (self.active, self.other) = (active, other) }
    }

    private let points: [Point]

    /// A shift that leads through some points; nil without any.
    public init?(_ points: [Point]) {
        if points.isEmpty { return nil }
        self.points = points.sorted { $0.active < $1.active }
    }

    /// The other model's threshold for one of the active model's: on the line between the two points beside it, at their distance
    /// beyond the outermost, −1 to 1.
    public func moved(_ threshold: Float) -> Float {
        let after = points.firstIndex { $0.active >= threshold } ?? points.count
        let (low, high) = (points[max(after - 1, 0)], points[min(after, points.count - 1)])
        let share = high.active > low.active ? (threshold - low.active) / (high.active - low.active) : 0
        let shift = (low.other - low.active) * (1 - share) + (high.other - high.active) * share
        return min(max(threshold + shift, -1), 1)
    }
}

/// Triples of one object in one passage before a camera, of which nobody has said whose they are.
public struct Passage: Sendable {
    /// What is enrolled of it, 1–16, in order; whose they are is not looked at.
    public var sightings: [Enrolment]
    /// What it looks like. Under its model it is looked for.
    public var embedding: SightingEmbedding
    /// Among which sightings.
    public var filter = QueryFilter()
    /// In place of the gallery's thresholds, for every set of modalities.
    public var threshold: Float?
    /// How far the best identity must be ahead of the second.
    public var margin: Float = 0
    /// How many of the best identities are told, 1–100.
    public var limit = 5
    /// Whether it is enrolled.
    public var isStored = true
    /// Whether it may make a new identity, if it matches none; otherwise it is not enrolled then.
    public var mayBeNew = true

    /// A passage.
    public init(_ sightings: [Enrolment], embedding: SightingEmbedding) {
        (self.sightings, self.embedding) = (sightings, embedding)
    }
}

/// An identity that a passage may be of.
public struct Contender: Sendable, Equatable {
    /// Its best sighting.
    public let match: Match
    /// What was compared.
    public let modalities: [String]
    /// For these.
    public let threshold: Float
}

/// Whose a passage is.
public struct Identification: Sendable, Equatable {
    /// Whose; the name of the new identity, if it was enrolled under one; nil if it is nobody's and was not enrolled.
    public let identity: String?
    /// Whether it reaches an identity that was known.
    public let isMatched: Bool
    /// Whether two identities are too close to each other to tell.
    public let isAmbiguous: Bool
    /// Whether an identity was made.
    public let isNew: Bool
    /// The best, by their lead; those that do not reach their threshold too.
    public let contenders: [Contender]
    /// What was enrolled.
    public let sightings: [SightingRecord]
    /// Whether it was enrolled before, with the same key: then nothing was decided anew.
    public let isReplay: Bool
}
