/// Which identities look alike, and which are not the same.
struct IdentityLinks {
    private struct Pair: Hashable {
        let first: String
        let second: String

        init(_ a: String, _ b: String) { (first, second) = a < b ? (a, b) : (b, a) }
    }

    private var scores: [Pair: Float] = [:]
    private var apart: [String: Set<String>] = [:]

    /// Says how alike two are; of several scores the best counts.
    mutating func link(_ a: String, _ b: String, _ score: Float) {
        scores[Pair(a, b), default: score] = max(scores[Pair(a, b)] ?? score, score)
    }

    /// Says that one is not the same as others.
    mutating func separate(_ identity: String, from others: [String]) {
        for other in others {
            apart[identity, default: []].insert(other)
            apart[other, default: []].insert(identity)
        }
    }

    /// Those that hang together, the most alike joined first, without any two that are not the same. O(links · log links).
    var groups: [IdentityGroup] {
        let links = scores.sorted {
            ($1.value, $0.key.first, $0.key.second) < ($0.value, $1.key.first, $1.key.second)
        }
        var forest = Forest(apart)
        for (pair, score) in links { forest.join(pair.first, pair.second, score) }
        return forest.groups.sorted {
            ($1.identities.count, $0.identities[0]) < ($0.identities.count, $1.identities[0])
        }
    }
}

/// Names that hang together, each group under one of them.
private struct Forest {
    private struct Group {
        var members: Set<String>
        /// Who must not be in it.
        var excluded: Set<String>
        var score: Float = 1

        mutating func absorb(_ other: Group, _ score: Float) {
            members.formUnion(other.members)
            excluded.formUnion(other.excluded)
            self.score = score
        }
    }

    private let apart: [String: Set<String>]
    private var owners: [String: String] = [:]
    private var all: [String: Group] = [:]

    init(_ apart: [String: Set<String>]) { self.apart = apart }

    /// Scores come from the best to the worst, so that the last one of a group is its lowest.
    mutating func join(_ a: String, _ b: String, _ score: Float) {
        var (kept, ended) = (owners[a] ?? a, owners[b] ?? b)
        if kept == ended { return }
        if group(kept).members.count < group(ended).members.count { swap(&kept, &ended) }
        let joining = group(ended)
        guard group(kept).excluded.isDisjoint(with: joining.members) else { return }
        for name in joining.members { owners[name] = kept }
        all[ended] = nil
        let excluded = apart[kept] ?? []
        all[kept, default: Group(members: [kept], excluded: excluded)].absorb(joining, score)
    }

    private func group(_ name: String) -> Group {
        all[name] ?? Group(members: [name], excluded: apart[name] ?? [])
    }

    var groups: [IdentityGroup] {
        all.values.map { IdentityGroup(identities: $0.members.sorted(), score: $0.score) }
    }
}
