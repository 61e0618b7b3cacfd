import Foundation

/// An identity that may be the same as another.
public struct SimilarIdentity: Codable, Equatable, Sendable {
    /// Its name.
    public let identity: String
    /// Its label.
    public let label: String?
    /// The cosine of the two sightings.
    public let score: Float
    /// Its sighting.
    public let sighting: String
    /// The other identity's, that it resembles most.
    public let resembles: String
}

extension GalleryStore {
    /// How many sightings of an identity are looked for.
    private static let mostExemplars = 64

    /// Other identities, by the best cosine of a sighting of theirs with one of the identity's last 64, under a model: likely
    /// duplicates first, without those that were told apart from it. Throws `.notFound`, or `.invalid` for the limit, 1–1000. O(vectors).
    public func identities(
        similarTo identity: String, in gallery: String, model: String, limit: Int = 10
    ) async throws -> [SimilarIdentity] {
        try Validation.limit(limit)
        let exemplars = try await transactions.exemplars(
            of: identity, in: gallery, model: model, limit: Self.mostExemplars)
        var filter = QueryFilter()
        let known = try await distinctions(of: [identity], in: gallery)[identity] ?? []
        filter.excludeIdentities = [identity] + known.map(\.identity)
        let queries = exemplars.map { GalleryQuery(embedding: $0.embedding, limit: limit, filter: filter) }
        let results = try await self.queries(queries, in: gallery)
        var best: [String: SimilarIdentity] = [:]
        for (exemplar, result) in zip(exemplars, results) {
            for match in try result.get().matches where match.score > best[match.identity]?.score ?? -2 {
                best[match.identity] = SimilarIdentity(
                    identity: match.identity, label: match.label, score: match.score, sighting: match.sighting,
                    resembles: exemplar.sighting)
            }
        }
        return Array(
            best.values.sorted { $0.score != $1.score ? $0.score > $1.score : $0.identity < $1.identity }.prefix(limit))
    }
}
