import Randomness

/// Draws batches of P identities with K sightings each (Hermans et al., 2017), so that every anchor has positives, in passes
/// over the sightings as the field's samplers make them (TransReID's `RandomIdentitySampler`).
///
/// In a pass each identity's sightings are shuffled and cut into groups of K; what is left over is left out, and an identity
/// with fewer than K is filled up by drawing some again. Each batch takes a group of P different identities, drawn at random,
/// until fewer than P have any left. So how many batches a pass has depends a little on what is drawn.
///
/// A pass depends on the seed and its number alone.
///
/// Or draws batches of triplets of their own (GraFT, section 5.2): in a pass each sighting is the anchor as often as it is to have
/// positives, each time with another of its identity as far as there are, and with any sighting of another identity.
public struct IdentitySampler: Sendable {
    /// What a batch is.
    public enum Sampling: Sendable, Equatable {
        /// P identities with K sightings each.
        case groups(identities: Int, sightings: Int)
        /// So many triplets: first their anchors, then their positives, then their negatives; each anchor has so many positives in
        /// a pass.
        case triplets(Int, positives: Int)
    }

    /// Where a sampler is.
    public struct Position: Sendable, Equatable, Codable {
        /// Passes before this one.
        public var epoch = 0
        /// Batches drawn of this pass.
        public var batch = 0

        /// At the beginning.
        public init() {}
    }

    /// Indices of the sightings of each identity.
    private let sightings: [[Int]]
    private let labels: [Int]
    private let sampling: Sampling
    private let seed: UInt64
    private let stream: [UInt64]
    private var batches: [[Int]] = []
    /// Where it is.
    public private(set) var position = Position()

    /// - Parameters:
    ///   - labels: the identity of each sighting, 0 upwards.
    ///   - sampling: what a batch is.
    ///   - seed: of what is drawn.
    ///   - stream: keys of this sampler's own random numbers.
    /// - Throws: `DatasetError.tooFew` if there are fewer than P identities, or for triplets fewer than two, or less than a batch.
    public init(
        labels: [Int], _ sampling: Sampling, seed: UInt64, stream: [UInt64] = []
    ) throws(DatasetError) {
        let groups = Dictionary(grouping: labels.indices, by: { labels[$0] })
        sightings = groups.keys.sorted().map { groups[$0] ?? [] }
        (self.labels, self.sampling, self.seed, self.stream) = (labels, sampling, seed, stream)
        let least = if case .groups(let identities, _) = sampling { identities } else { 2 }
        guard sightings.count >= least else {
            throw .tooFew(
                "expected at least \(least) identities to learn from, as a batch has, found \(sightings.count)")
        }
        batches = pass(0)
        guard !batches.isEmpty else {
            throw .tooFew("expected triplets for a batch, found fewer: too few identities have two sightings")
        }
    }

    /// A sampler over the same sightings that draws otherwise, at its beginning.
    public func restarted(stream: [UInt64]) -> IdentitySampler {
        IdentitySampler(self, stream)
    }

    private init(_ other: IdentitySampler, _ stream: [UInt64]) {
        (sightings, labels, sampling) = (other.sightings, other.labels, other.sampling)
        (seed, self.stream) = (other.seed, stream)
        batches = pass(0)
    }

    /// Passes that are over.
    public var finishedEpochs: Int { position.epoch + (position.batch == batches.count ? 1 : 0) }

    /// The next batch: P·K indices of sightings, those of an identity together.
    public mutating func next() -> [Int] {
        if position.batch == batches.count { go(to: Position(epoch: position.epoch + 1)) }
        defer { position.batch += 1 }
        return batches[position.batch]
    }

    /// Goes on from where another sampler of the same sightings, seed and stream was.
    public mutating func go(to position: Position) {
        if position.epoch != self.position.epoch { batches = pass(position.epoch) }
        self.position = position
    }

    /// How many batches a pass has. O(sightings).
    public func batches(ofEpoch epoch: Int) -> Int { epoch == position.epoch ? batches.count : pass(epoch).count }

    private func pass(_ epoch: Int) -> [[Int]] {
        var generator = SplitMix64(seed: seed, stream: stream + [UInt64(epoch)])
        switch sampling {
        case .groups(let identities, let count): return groups(identities, count, &generator)
        case .triplets(let count, let positives): return triplets(count, positives, &generator)
        }
    }

    private func triplets(_ count: Int, _ positives: Int, _ generator: inout SplitMix64) -> [[Int]] {
        let pairs = labels.indices.flatMap { anchor -> [(anchor: Int, positive: Int)] in
            let own = generator.shuffled(sightings[labels[anchor]].filter { $0 != anchor })
            return own.isEmpty ? [] : (0..<positives).map { (anchor, own[$0 % own.count]) }
        }
        let shuffled = generator.shuffled(pairs)
        return (0..<(shuffled.count / count)).map { batch in
            let pairs = shuffled[(batch * count)..<((batch + 1) * count)]
            let negatives = pairs.map { pair in negative(of: labels[pair.anchor], &generator) }
            return pairs.map(\.anchor) + pairs.map(\.positive) + negatives
        }
    }

    private func negative(of label: Int, _ generator: inout SplitMix64) -> Int {
        while true {
            let index = generator.index(below: labels.count)
            if labels[index] != label { return index }
        }
    }

    private func groups(_ identities: Int, _ perIdentity: Int, _ generator: inout SplitMix64) -> [[Int]] {
        var groups = sightings.map { cut($0, perIdentity, &generator) }
        var available = Array(groups.indices)
        var batches: [[Int]] = []
        while available.count >= identities {
            // The first P of a shuffle.
            for i in 0..<identities { available.swapAt(i, i + generator.index(below: available.count - i)) }
            batches.append(available.prefix(identities).flatMap { groups[$0].popLast() ?? [] })
            let left = available.prefix(identities).filter { !groups[$0].isEmpty }
            available.replaceSubrange(..<identities, with: left)
        }
        return batches
    }

    /// An identity's sightings in groups of K, at least one.
    private func cut(_ all: [Int], _ perIdentity: Int, _ generator: inout SplitMix64) -> [[Int]] {
        let shuffled = generator.shuffled(all)
        guard all.count >= perIdentity else {
            return [shuffled + (all.count..<perIdentity).map { _ in all[generator.index(below: all.count)] }]
        }
        return (0..<(all.count / perIdentity)).map { Array(shuffled[($0 * perIdentity)..<(($0 + 1) * perIdentity)]) }
    }
}

extension IdentitySampler.Position {
    fileprivate init(epoch: Int) { self.epoch = epoch }
}

extension IdentitySampler {
    /// Triples of a batch, as indices into it: each anchor with up to `positives` positives, each of these with a
    /// negative drawn from the other identities.
    ///
    /// - Parameters:
    ///   - labels: the batch's identities.
    ///   - positives: how many an anchor (GraFT, section 5.2).
    ///   - generator: what draws.
    public static func triples(labels: [Int], positives: Int, _ generator: inout SplitMix64) -> [[Int]] {
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
