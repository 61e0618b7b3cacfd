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
    /// cosine of `threshold` with a sighting of another, and so on from one to the next. Large groups first. Throws `.notFound`,
    /// or `.invalid` for the threshold. O(identities · vectors); each pass over these is shared by eight identities.
    ///
    /// - Parameter progress: told how many identities have been looked at.
    public func groups(
        in gallery: String, model: String, threshold: Float, progress: (_ done: Int) async throws -> Void = { _ in }
    ) async throws -> [IdentityGroup] {
        try Validation.require((-1...1).contains(threshold), "threshold", "a cosine, -1 to 1", "\(threshold)")
        var (chains, cursor, done) = (Chains(), nil as String?, 0)
        repeat {
            let page = try await identities(in: gallery, PageRequest(limit: 200, after: cursor))
            let unnamed = page.items.filter { $0.label == nil }.map(\.id)
            for start in stride(from: 0, to: unnamed.count, by: 8) {
                let identities = Array(unnamed[start..<min(start + 8, unnamed.count)])
                try await link(identities, in: gallery, model, threshold, &chains)
            }
            done += page.items.count
            try await progress(done)
            cursor = page.next
        } while cursor != nil
        return chains.groups
    }

    private func link(
        _ identities: [String], in gallery: String, _ model: String, _ threshold: Float, _ chains: inout Chains
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
                chains.link(owner, match.identity, match.score)
            }
        }
    }
}

/// Names that hang together, each group under one of them.
private struct Chains {
    private var parents: [String: String] = [:]
    private var scores: [String: Float] = [:]

    mutating func link(_ a: String, _ b: String, _ score: Float) {
        let (first, second) = (root(a), root(b))
        let lowest = min(score, scores[first] ?? score, scores[second] ?? score)
        if first != second {
            parents[second] = first
            scores[second] = nil
            scores[first] = lowest
        }
    }

    /// Halves the way there for the next time.
    private mutating func root(_ name: String) -> String {
        var name = name
        while let parent = parents[name] {
            if let grand = parents[parent] { parents[name] = grand }
            name = parent
        }
        return name
    }

    var groups: [IdentityGroup] {
        var (chains, members) = (self, [String: [String]]())
        for name in Set(parents.keys).union(parents.values) { members[chains.root(name), default: []].append(name) }
        return members.map { IdentityGroup(identities: $0.value.sorted(), score: scores[$0.key] ?? 1) }
            .sorted { ($1.identities.count, $0.identities[0]) < ($0.identities.count, $1.identities[0]) }
    }
}
