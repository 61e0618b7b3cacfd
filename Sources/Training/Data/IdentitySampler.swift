import Randomness

/// Draws batches of P identities with K sightings each (Hermans et al., 2017), so that every anchor has positives.
public struct IdentitySampler: Sendable {
    /// Indices of the sightings of each identity.
    private let sightings: [[Int]]
    private let identities: Int
    private let perIdentity: Int
    private var generator: SplitMix64
    private var order: [Int] = []

    /// - Parameters:
    ///   - labels: the identity of each sighting, 0 upwards.
    ///   - identities: P.
    ///   - perIdentity: K.
    ///   - generator: what draws.
    /// - Throws: `DatasetError.tooFew` if there are fewer than P identities.
    public init(labels: [Int], identities: Int, perIdentity: Int, generator: SplitMix64) throws(DatasetError) {
        let groups = Dictionary(grouping: labels.indices, by: { labels[$0] })
        sightings = groups.keys.sorted().map { groups[$0] ?? [] }
        guard sightings.count >= identities else {
            throw .tooFew("expected at least \(identities) identities for a batch, found \(sightings.count)")
        }
        self.identities = identities
        self.perIdentity = perIdentity
        self.generator = generator
    }

    /// Batches in an epoch: each identity is drawn about once.
    public var batchesPerEpoch: Int { max(sightings.count / identities, 1) }

    /// The next batch: P·K indices of sightings, those of an identity together. Identities come in shuffled order, each
    /// once before any comes again; sightings without repetition while an identity has enough.
    public mutating func next() -> [Int] {
        if order.count < identities { order = generator.shuffled(Array(sightings.indices)) }
        let drawn = order.suffix(identities)
        order.removeLast(identities)
        return drawn.flatMap { identity in
            let all = sightings[identity]
            let shuffled = generator.shuffled(all)
            return (0..<perIdentity).map { $0 < all.count ? shuffled[$0] : all[generator.index(below: all.count)] }
        }
    }

    /// Triples of a batch, as indices into it: each anchor with up to `positives` positives, each of these with a
    /// negative drawn from the other identities.
    ///
    /// - Parameters:
    ///   - labels: the batch's identities.
    ///   - positives: how many an anchor (GraFT, section 5.2).
    public mutating func triples(labels: [Int], positives: Int) -> [[Int]] {
        labels.indices.flatMap { anchor -> [[Int]] in
            let same = labels.indices.filter { $0 != anchor && labels[$0] == labels[anchor] }
            let others = labels.indices.filter { labels[$0] != labels[anchor] }
            guard !others.isEmpty else { return [] }
            return generator.shuffled(same).prefix(positives).map { positive in
                [anchor, positive, others[generator.index(below: others.count)]]
            }
        }
    }
}
