import Documents
import Foundation

/// Which sightings may match; every condition given must hold. A sighting without a time fails those of time.
public struct Filter: Encodable, Sendable, Equatable {
    /// What a value of metadata must be.
    public indirect enum Condition: Encodable, Sendable, Equatable {
        /// This value.
        case equals(JSONValue)
        /// One of these values.
        case oneOf([JSONValue])
        /// Between bounds of one type.
        case between(gte: JSONValue? = nil, gt: JSONValue? = nil, lte: JSONValue? = nil, lt: JSONValue? = nil)

        /// As the API has it.
        public func encode(to encoder: any Encoder) throws {
            switch self {
            case .equals(let value): try value.encode(to: encoder)
            case .oneOf(let values): try JSONValue.array(values).encode(to: encoder)
            case .between(let gte, let gt, let lte, let lt):
                try given(["gte": gte, "gt": gt, "lte": lte, "lt": lt]).encode(to: encoder)
            }
        }
    }

    /// Seen by one of these.
    public var cameras: [String]?
    /// Seen by none of these.
    public var excludeCameras: [String]?
    /// Of one of these.
    public var identities: [String]?
    /// Of none of these.
    public var excludeIdentities: [String]?
    /// At this time or later.
    public var capturedAfter: Date?
    /// Before this time.
    public var capturedBefore: Date?
    /// Of an identity whose label begins so.
    public var labelPrefix: String?
    /// Of an identity that has a label, or of one that has none.
    public var labelled: Bool?
    /// For each key, the sighting or its identity fulfils the condition.
    public var metadata: [String: Condition]?
    /// Of no key, the sighting or its identity fulfils the condition.
    public var excludeMetadata: [String: Condition]?

    /// Admits everything.
    public init() {}
}

/// How a query is answered.
public struct QueryOptions: Encodable, Sendable, Equatable {
    /// What a match is.
    public enum Grouping: String, Encodable, Sendable {
        /// The best sighting of each identity.
        case identity
        /// Each sighting.
        case sighting
    }

    /// Ranks the nearest anew by what they have in common (k-reciprocal encoding, Zhong et al., CVPR 2017).
    public struct Reranking: Encodable, Sendable, Equatable {
        /// How many sightings, 2 to 1000.
        public var candidates: Int

        /// So many of the nearest.
        public init(candidates: Int = 200) { self.candidates = candidates }
    }

    /// Matches, 1 to 1000; nil for 10.
    public var limit: Int?
    /// The least cosine of a match.
    public var threshold: Double?
    /// nil for `identity`.
    public var groupBy: Grouping?
    /// Among which sightings.
    public var filter: Filter?
    /// nil for none.
    public var rerank: Reranking?
    /// Whether matches, 100 at most, tell what each modality alone scores.
    public var byModality: Bool?
    /// What a sighting's scores with several exemplars make; nil for their mean.
    public var combine: Combination?
    /// Whether matches, 100 at most, tell their score with each exemplar.
    public var byExemplar: Bool?
    /// What the scores of an identity's sightings make; nil for the best.
    public var score: IdentityScore?

    /// As the server does by default, but for what is given.
    public init(
        limit: Int? = nil, threshold: Double? = nil, groupBy: Grouping? = nil, filter: Filter? = nil,
        rerank: Reranking? = nil, byModality: Bool? = nil, combine: Combination? = nil, byExemplar: Bool? = nil,
        score: IdentityScore? = nil
    ) {
        (self.limit, self.threshold, self.groupBy) = (limit, threshold, groupBy)
        (self.filter, self.rerank, self.byModality) = (filter, rerank, byModality)
        (self.combine, self.byExemplar, self.score) = (combine, byExemplar, score)
    }

    /// What scores with several exemplars make.
    public enum Combination: String, Encodable, Sendable {
        /// The largest.
        case best
        /// Their mean.
        case mean
    }

    /// What the scores of an identity's sightings make.
    public enum IdentityScore: Encodable, Sendable, Equatable {
        /// The largest.
        case best
        /// The mean of so many of the largest, 1 to 100.
        case meanOfBest(Int)
        /// The mean of the largest of each camera.
        case perCamera

        /// As the API has it.
        public func encode(to encoder: any Encoder) throws {
            switch self {
            case .best: try "best".encode(to: encoder)
            case .perCamera: try "per_camera".encode(to: encoder)
            case .meanOfBest(let count): try ["mean_of_best": count].encode(to: encoder)
            }
        }
    }
}

/// The best sighting of an identity, or a sighting, with its cosine.
public struct Match: Codable, Sendable, Equatable {
    /// Whose it is.
    public let identity: String
    /// The identity's.
    public let label: String?
    /// The cosine.
    public let score: Double
    /// Its identifier.
    public let sighting: String
    /// Who has seen it.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// The sighting's.
    public let metadata: Metadata
    /// The cosine of each modality alone that both sides have, if asked for.
    public let byModality: [String: Double]?
    /// The cosine with each exemplar in their order, if asked for; nil where there is nothing to compare.
    public let byExemplar: [Double?]?
    /// Of how many of the identity's sightings the score is the mean, if it is one.
    public let counted: Int?
    /// Where it is, if several were searched.
    public let gallery: String?
}

/// Milliseconds, waiting included. Identifying counts decoding as encoding, and enrolling as searching.
public struct Timing: Codable, Sendable, Equatable {
    /// Reading the images.
    public let decodeMs: Double?
    /// The model's part.
    public let encodeMs: Double
    /// The gallery's part.
    public let searchMs: Double
}

/// Matches, best first.
public struct QueryResult: Codable, Sendable, Equatable {
    /// What compared.
    public let model: String
    /// What the query's vector was made from.
    public let modalities: [String]
    /// Possibly none.
    public let matches: [Match]
    /// Whether there is no match.
    public let unknown: Bool
    /// Sightings that pass the filter but share no modality with the query.
    public let incomparable: Int
    /// Whether sightings may be missing that are nearer, as an index of the database was asked; nil for no.
    public let approximate: Bool?
    /// Of a batch nil.
    public let timing: Timing?
}

/// A result for each query, in their order, or what was wrong with it alone.
public struct BatchResult: Decodable, Sendable {
    private struct Entry: Decodable {
        let result: Result<QueryResult, Problem>

        private enum CodingKeys: CodingKey { case problem }

        init(from decoder: any Decoder) throws {
            let problem = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(
                Problem.self, forKey: .problem)
            result = try problem.map(Result.failure) ?? .success(QueryResult(from: decoder))
        }
    }

    private enum CodingKeys: CodingKey { case results, timing }

    /// In the order of the queries.
    public let results: [Result<QueryResult, Problem>]
    /// Of the query that took longest to decode and to encode, and of the one search.
    public let timing: Timing

    /// As the API has it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        results = try container.decode([Entry].self, forKey: .results).map(\.result)
        timing = try container.decode(Timing.self, forKey: .timing)
    }
}

extension GalleryClient {
    /// Ranks the gallery by similarity to a triple, vectors, a text or an enrolled sighting.
    public func query(_ subject: QuerySubject, _ options: QueryOptions = QueryOptions()) async throws -> QueryResult {
        let body = try Request.Body.of(subject, Wire.members(options))
        return try await transport.ask(.post(path("queries"), body, isRepeatable: true))
    }

    /// Ranks the gallery by similarity to up to 16 exemplars of one object together.
    public func query(
        exemplars: [QuerySubject], _ options: QueryOptions = QueryOptions()
    ) async throws -> QueryResult {
        let body = try Request.Body.of(exemplars, named: "exemplars", Wire.members(options))
        return try await transport.ask(.post(path("queries"), body, isRepeatable: true))
    }

    /// Up to 64 queries at once, which takes less than one after the other. What is wrong with one is in its place.
    public func queryBatch(
        _ subjects: [QuerySubject], _ options: QueryOptions = QueryOptions()
    ) async throws -> BatchResult {
        let body = try Request.Body.of(subjects, named: "queries", Wire.members(options))
        return try await transport.ask(.post(path("queries", "batch"), body, isRepeatable: true))
    }
}

extension Client {
    /// Ranks up to 16 galleries together by similarity to up to 16 exemplars of one object.
    public func query(
        _ exemplars: [QuerySubject], in galleries: [String], _ options: QueryOptions = QueryOptions()
    ) async throws -> QueryResult {
        var members = try Wire.members(options)
        members["galleries"] = .array(galleries.map(JSONValue.string))
        let body = try Request.Body.of(exemplars, named: "exemplars", members)
        return try await transport.ask(.post(TriptychClient.path("queries"), body, isRepeatable: true))
    }
}
