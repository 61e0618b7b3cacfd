import Foundation

/// What a match stands for.
public enum Grouping: String, Codable, Sendable {
    /// The best sighting of each identity.
    case identity
    /// Each sighting.
    case sighting
}

/// Which sightings may match. Every condition given must hold.
public struct QueryFilter: Equatable, Sendable {
    /// Seen by one of these.
    public var cameras: [String]?
    /// Seen by none of these.
    public var excludeCameras: [String]?
    /// At this time or later. A sighting without a time fails a condition on time.
    public var capturedAfter: Date?
    /// Before this time.
    public var capturedBefore: Date?
    /// Of one of these.
    public var identities: [String]?
    /// Of none of these.
    public var excludeIdentities: [String]?
    /// None of these sightings.
    public var excludeSightings: [String]?
    /// Of an identity whose label begins so.
    public var labelPrefix: String?
    /// Of an identity that has a label, or of one that has none.
    public var isLabelled: Bool?
    /// For each key, the sighting or its identity fulfils the condition.
    public var metadata: [String: MetadataCondition]?
    /// Of no key, the sighting or its identity fulfils the condition.
    public var excludeMetadata: [String: MetadataCondition]?

    /// No conditions.
    public init() {}
}

/// A search for the nearest sightings.
public struct GalleryQuery: Sendable {
    /// What to look for, under which model.
    public var embedding: SightingEmbedding
    /// Further exemplars of what is looked for, up to 15, of the same model.
    public var further: [SightingEmbedding] = []
    /// How a sighting's scores with the exemplars make its own.
    public var combination = ExemplarCombination.mean
    /// How the scores of an identity's sightings make its own; `.best` where matches are sightings, or ranked anew.
    public var score = IdentityScore.best
    /// How many matches at most: 1–1000.
    public var limit: Int
    /// The least cosine of a match, −1 to 1.
    public var threshold: Float?
    /// What a match stands for.
    public var grouping: Grouping
    /// Which sightings may match.
    public var filter: QueryFilter
    /// How many of the nearest sightings are ranked anew by what neighbours have in common, 2–1000; nil for none. `score` stays
    /// the cosine.
    public var rerank: Int?
    /// Whether matches tell what each modality alone scores; then no more than 100 of them.
    public var explains = false
    /// Whether matches tell their scores with each exemplar; then no more than 100 of them.
    public var explainsExemplars = false

    /// All exemplars.
    public var exemplars: [SightingEmbedding] { [embedding] + further }

    /// A query.
    public init(
        embedding: SightingEmbedding, limit: Int = 10, threshold: Float? = nil, grouping: Grouping = .identity,
        filter: QueryFilter = QueryFilter()
    ) {
        self.embedding = embedding
        self.limit = limit
        self.threshold = threshold
        self.grouping = grouping
        self.filter = filter
    }
}
