import Foundation

/// mAP, mINP and the cumulative match characteristic, over the queries that have something to be found.
public struct Retrieval: Codable, Sendable, Equatable {
    /// mAP.
    public let meanAveragePrecision: Double
    /// mINP.
    public let meanInverseNegativePenalty: Double
    /// The share of queries with a hit at rank 1.
    public let rank1: Double
    /// At rank 5 or before.
    public let rank5: Double
    /// At rank 10 or before.
    public let rank10: Double
    /// Those that count.
    public let queries: Int
    /// Those for which there is nothing to be found.
    public let skipped: Int
}

/// What happens at a threshold (ISO/IEC 19795-6).
public struct OpenSetErrors: Codable, Sendable, Equatable {
    /// FPIR: newcomers for whom something reaches the threshold.
    public let falsePositiveIdentificationRate: Double
    /// FNIR: known ones of whom nothing does.
    public let falseNegativeIdentificationRate: Double
}

/// How well a gallery's sightings find each other.
public struct Evaluation: Codable, Sendable, Equatable {
    /// The best scores of queries, for one set of modalities that were compared.
    public struct BestScores: Codable, Sendable, Equatable {
        /// A threshold and what it would do.
        public struct Point: Codable, Sendable, Equatable {
            /// The least score of a match.
            public let threshold: Double
            /// At that.
            public let errors: OpenSetErrors
        }

        /// What was compared.
        public let modalities: [String]
        /// Queries by their best score with another of their identity, in a hundred bins from -1 to 1.
        public let genuine: [Int]
        /// The same with other identities.
        public let impostor: [Int]
        /// From the lowest score to the highest.
        public let curve: [Point]
        /// The gallery's, if it has one that is not stale.
        public let threshold: Double?
        /// At that.
        public let errors: OpenSetErrors?
    }

    /// An identity that its sightings do not find well.
    public struct PoorIdentity: Codable, Sendable, Equatable {
        /// As it is called now.
        public let identity: String
        /// For people to read.
        public let label: String?
        /// mAP of its sightings.
        public let meanAveragePrecision: Double
        /// Its sightings that were looked for.
        public let queries: Int
        /// How many it has now.
        public let sightings: Int
    }

    /// A sighting whose first answer was another identity.
    public struct FailedQuery: Codable, Sendable, Equatable {
        /// What was looked for.
        public let sighting: String
        /// Whose it is.
        public let identity: String
        /// The first answer.
        public let found: Match
        /// The best of its own identity.
        public let genuine: Match?
        /// Of that.
        public let rank: Int
    }

    /// What compared.
    public let model: String
    /// Whether another model answers now.
    public let stale: Bool
    /// When it was made.
    public let createdAt: Date
    /// What was drawn by.
    public let seed: Int
    /// That were searched.
    public let sightings: Int
    /// Whose they were.
    public let identities: Int
    /// Sightings that were looked for.
    public let samples: Int
    /// Pairs of an identity that share no modality.
    public let incomparable: Int
    /// Among all other sightings.
    public let all: Retrieval
    /// Without those of the identity by the query's own camera.
    public let crossCamera: Retrieval
    /// At the gallery's thresholds; nil without any.
    public let errors: OpenSetErrors?
    /// By set of modalities.
    public let scores: [BestScores]
    /// At most fifty.
    public let worstIdentities: [PoorIdentity]
    /// At most fifty, those furthest off first.
    public let failures: [FailedQuery]
}

/// A page of a gallery's embeddings in the plane.
public struct GalleryMap: Codable, Sendable, Equatable {
    /// A sighting.
    public struct Point: Codable, Sendable, Equatable {
        /// Its identifier.
        public let sighting: String
        /// Whose it is, as that is called now.
        public let identity: String
        /// The identity's.
        public let label: String?
        /// Who has seen it.
        public let camera: String?
        /// When it was seen.
        public let capturedAt: Date?
        /// Of its vectors.
        public let modalities: [String]
        /// From -1 to 1.
        public let x: Double
        /// At the same scale.
        public let y: Double
    }

    /// Another map has another one.
    public let id: String
    /// What compared.
    public let model: String
    /// Whether another model answers now.
    public let stale: Bool
    /// When it was made.
    public let createdAt: Date
    /// What was drawn by.
    public let seed: Int
    /// That there were.
    public let sightings: Int
    /// Whose they were.
    public let identities: Int
    /// That it shows.
    public let samples: Int
    /// About how many neighbours a sighting has.
    public let perplexity: Double
    /// Steps of its layout.
    public let iterations: Int
    /// How far the twelve nearest on the map are nearest in truth (Venna and Kaski, 2001); nil for few sightings.
    public let trustworthiness: Double?
    /// In order of enrolment.
    public let items: [Point]
    /// The next page's cursor; nil for the last.
    public let next: String?
}

extension GalleryClient {
    /// Starts a job that looks for sampled sightings among all others; `evaluation(model:)` has what comes out.
    ///
    /// - Parameters:
    ///   - samples: how many sightings, 1 to 100000; nil for 2000.
    ///   - seed: what is drawn by.
    public func evaluate(samples: Int? = nil, seed: Int? = nil) async throws -> Job {
        let document = given(["samples": samples.map(JSONValue.integer), "seed": seed.map(JSONValue.integer)])
        return try await transport.ask(.post(path("evaluations"), JSONValue.object(document)))
    }

    /// The latest evaluation, of a model if one is given.
    public func evaluation(model: String? = nil) async throws -> Evaluation {
        try await transport.ask(.get(path("evaluations", "latest"), [("model", model)]))
    }

    /// Starts a job that puts sampled sightings on a map; `map(model:)` has it.
    ///
    /// - Parameters:
    ///   - samples: the most sightings, 2 to 20000; nil for 2000.
    ///   - perplexity: about how many neighbours a sighting has, 2 to 100; nil for 30.
    ///   - seed: what is drawn by.
    public func makeMap(samples: Int? = nil, perplexity: Double? = nil, seed: Int? = nil) async throws -> Job {
        let document = given([
            "samples": samples.map(JSONValue.integer), "perplexity": perplexity.map(JSONValue.number),
            "seed": seed.map(JSONValue.integer),
        ])
        return try await transport.ask(.post(path("maps"), JSONValue.object(document)))
    }

    /// A page of the latest map, of a model if one is given. Pages of two maps do not go together: begin anew if `id` is another.
    public func map(model: String? = nil, limit: Int = 1000, cursor: String? = nil) async throws -> GalleryMap {
        try await transport.ask(
            .get(path("maps", "latest"), [("model", model), ("limit", "\(limit)"), ("cursor", cursor)]))
    }
}
