import Foundation

/// How well the sightings of a gallery find each other: each that was drawn is looked for among all others.
public struct GalleryEvaluation: Sendable, Equatable, Codable {
    /// Retrieval metrics over the queries that have something to be found.
    public struct Retrieval: Sendable, Equatable, Codable {
        /// mAP: of each query, the mean over its hits of the precision at each (no trapezoid).
        public var meanAveragePrecision = 0.0
        /// mINP (Ye et al., 2021): hits over the rank of the last one.
        public var meanInverseNegativePenalty = 0.0
        /// Cumulative match characteristic: the share of queries with a hit at rank 1.
        public var rank1 = 0.0
        /// The same at 5.
        public var rank5 = 0.0
        /// The same at 10.
        public var rank10 = 0.0
        /// Queries that count.
        public var queries = 0
        /// Queries for which there is nothing to be found; they do not count.
        public var skipped = 0
    }

    /// Identification with a threshold (ISO/IEC 19795-1; NIST's FRVT 1:N): each query is searched for once with the others of its
    /// identity, as known, and once without them, as a newcomer.
    public struct OpenSet: Sendable, Equatable, Codable {
        /// FPIR: the share of newcomers for whom something reaches the threshold.
        public let falsePositiveIdentificationRate: Double
        /// FNIR: the share of the known of whom nothing reaches the threshold.
        public let falseNegativeIdentificationRate: Double
    }

    /// A threshold and what it would do.
    public struct Point: Sendable, Equatable, Codable {
        /// A cosine.
        public let threshold: Float
        /// Its errors.
        public let errors: OpenSet
    }

    /// The best scores of queries, by the modalities that were compared.
    public struct Scores: Sendable, Equatable, Codable {
        /// What was compared, sorted.
        public let modalities: [String]
        /// How many queries have their best score with another of their identity in each of a hundred bins from −1 to 1.
        public let genuine: [Int]
        /// The same with other identities.
        public let impostor: [Int]
        /// The gallery's, if it has one that is not stale.
        public let threshold: Float?
        /// The errors at that.
        public let errors: OpenSet?
        /// From the lowest score to the highest, 41 points.
        public let curve: [Point]
    }

    /// The model that compared.
    public let model: String
    /// What the queries were drawn by.
    public let seed: UInt64
    /// Sightings that were searched.
    public let sightings: Int
    /// Whose they were.
    public let identities: Int
    /// How many of them were looked for.
    public let samples: Int
    /// Pairs of an identity that share no modality, and so are not among what is to be found.
    public let incomparable: Int
    /// Among all other sightings.
    public let all: Retrieval
    /// Without sightings of the identity by the query's own camera, as the field does, or of which it is not known by which.
    public let crossCamera: Retrieval
    /// At the gallery's thresholds, over all modalities; nil without any.
    public let errors: OpenSet?
    /// By modalities, in order of their names.
    public let scores: [Scores]
}

/// An identity that its sightings do not find well, and what it is called now.
public struct PoorIdentity: Sendable, Equatable, Encodable {
    /// Its name.
    public let identity: String
    /// Its label.
    public let label: String?
    /// Over its queries.
    public let meanAveragePrecision: Double
    /// Its sightings that were looked for.
    public let queries: Int
    /// How many it has now.
    public let sightings: Int
}

/// A query whose first answer is another identity, as both are known now.
public struct FailedQuery: Sendable, Equatable, Encodable {
    /// What was looked for.
    public let sighting: String
    /// Whose it is.
    public let identity: String
    /// What was found first.
    public let found: Match
    /// The best sighting of its own identity, if it is still there.
    public let genuine: Match?
    /// At which rank that was found.
    public let rank: Int
}

/// An evaluation as it is read: what was erased since is not named.
public struct EvaluationReport: Sendable {
    /// What was measured.
    public let evaluation: GalleryEvaluation
    /// When it ended.
    public let createdAt: Date
    /// The worst first.
    public let worst: [PoorIdentity]
    /// Those with the largest margin between what was found and what was not first.
    public let failures: [FailedQuery]
}

/// An evaluation as it is kept: by rows, of which names are looked up when it is read.
struct KeptEvaluation: Codable {
    /// The most identities and the most queries that are told of.
    static let most = 50

    struct Identity: Codable {
        let row: Int64
        let meanAveragePrecision: Double
        let queries: Int
    }

    struct Failure: Codable {
        let sighting: Int64
        let found: Int64
        let score: Float
        let genuine: Int64
        let genuineScore: Float
        let rank: Int

        /// How far what was wrong is ahead.
        var margin: Float { score - genuineScore }
    }

    let evaluation: GalleryEvaluation
    let worst: [Identity]
    let failures: [Failure]
}
