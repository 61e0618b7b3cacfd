/// Identities without a label that are probably one.
public struct IdentityGroup: Codable, Equatable, Sendable {
    /// Their names, sorted.
    public let identities: [String]
    /// The lowest of the scores by which they hang together.
    public let score: Float
}

extension GalleryStore {
    /// How many sightings of an identity are looked for.
    private static let exemplarsOfGroups = 4
    /// How many identities like one are looked at.
    private static let neighbours = 20

    /// Groups of identities that nobody has named: those without a label of which a sighting, one of the last four, has at least a
    /// cosine of `threshold` with a sighting of another, and so on from one to the next. The most alike come together first, and no
    /// two that were told apart are in one group. Large groups first. Throws `.notFound`, or `.invalid` for the threshold.
    /// O(identities · vectors); each pass over these is shared by eight identities.
    ///
    /// - Parameter progress: told how many identities have been looked at.
    public func groups(
        in gallery: String, model: String, threshold: Float, progress: (_ done: Int) async throws -> Void = { _ in }
    ) async throws -> [IdentityGroup] {
        try Validation.require((-1...1).contains(threshold), "threshold", "a cosine, -1 to 1", "\(threshold)")
        var (links, cursor, done) = (IdentityLinks(), nil as String?, 0)
        repeat {
            let page = try await identities(in: gallery, PageRequest(limit: 200, after: cursor))
            let unnamed = page.items.filter { $0.label == nil }.map(\.id)
            for start in stride(from: 0, to: unnamed.count, by: 8) {
                let identities = Array(unnamed[start..<min(start + 8, unnamed.count)])
                try await link(identities, in: gallery, model, threshold, &links)
            }
            for (identity, others) in try await distinctions(of: unnamed, in: gallery) {
                links.separate(identity, from: others.map(\.identity))
            }
            done += page.items.count
            try await progress(done)
            cursor = page.next
        } while cursor != nil
        return links.groups
    }

    private func link(
        _ identities: [String], in gallery: String, _ model: String, _ threshold: Float, _ links: inout IdentityLinks
    ) async throws {
        var (owners, queries) = ([String](), [GalleryQuery]())
        var filter = QueryFilter()
        filter.isLabelled = false
        for identity in identities {
            let exemplars: [(sighting: String, embedding: SightingEmbedding)]
            do {
                exemplars = try await transactions.exemplars(
                    of: identity, in: gallery, model: model, limit: Self.exemplarsOfGroups)
            } catch GalleryError.notFound(.identity, _) {
                continue  // Erased meanwhile.
            }
            owners += exemplars.map { _ in identity }
            queries += exemplars.map {
                GalleryQuery(
                    embedding: $0.embedding, limit: Self.neighbours + 1, threshold: threshold, filter: filter)
            }
        }
        if queries.isEmpty { return }
        for (owner, result) in zip(owners, try await self.queries(queries, in: gallery)) {
            for match in try result.get().matches where match.identity != owner {
                links.link(owner, match.identity, match.score)
            }
        }
    }
}
