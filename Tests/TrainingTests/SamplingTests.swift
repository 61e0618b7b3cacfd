import Randomness
import Testing
import Training

@Suite("Sampling")
struct SamplingTests {
    /// Identity i has `counts[i]` sightings.
    private func labels(_ counts: [Int]) -> [Int] { counts.enumerated().flatMap { [Int](repeating: $0, count: $1) } }

    /// The batches of the next pass.
    private func pass(_ sampler: inout IdentitySampler) -> [[Int]] {
        let over = sampler.finishedEpochs
        var batches: [[Int]] = []
        while sampler.finishedEpochs == over { batches.append(sampler.next()) }
        return batches
    }

    @Test(
        "a pass gives each identity as many groups of K as it has, batches P different ones, until fewer than P are left"
    )
    func onePass() throws {
        let counts = [9, 8, 3, 4, 13, 1, 4, 7]
        let labels = labels(counts)
        var sampler = try IdentitySampler(labels: labels, .groups(identities: 3, sightings: 4), seed: 9)
        for _ in 0..<20 {
            let batches = pass(&sampler)
            var groups = [Int](repeating: 0, count: counts.count)
            var drawn: [Int: Int] = [:]
            for batch in batches {
                #expect(batch.count == 12)
                let identities = stride(from: 0, to: 12, by: 4).map { at in batch[at..<(at + 4)].map { labels[$0] } }
                #expect(identities.allSatisfy { Set($0).count == 1 } && Set(identities.flatMap { $0 }).count == 3)
                for group in identities { groups[group[0]] += 1 }
                for index in batch { drawn[index, default: 0] += 1 }
            }
            let whole = counts.map { max($0 / 4, 1) }
            #expect(zip(groups, whole).allSatisfy { $0 <= $1 })
            #expect(zip(groups, whole).count { $0 < $1 } < 3, "\(groups)")
            // Whoever has enough is never seen twice; the others are filled up.
            #expect(drawn.allSatisfy { counts[labels[$0.key]] < 4 || $0.value == 1 })
            #expect(drawn.values.reduce(0, +) == 12 * batches.count)
        }
    }

    @Test("8675 images of 50 identities in batches of 16 identities with 4 each make about 135 steps")
    func size() throws {
        let counts = (0..<50).map { 174 - ($0 % 2) }
        let sampler = try IdentitySampler(labels: labels(counts), .groups(identities: 16, sightings: 4), seed: 1)
        #expect(counts.reduce(0, +) == 8675)
        for epoch in 0..<5 { #expect((128...135).contains(sampler.batches(ofEpoch: epoch))) }
    }

    @Test("a pass depends on seed, stream and number alone, and a sampler goes on from a position")
    func positions() throws {
        let labels = labels([6, 6, 5, 4, 8])
        let make = { (seed: UInt64) in
            try IdentitySampler(labels: labels, .groups(identities: 2, sightings: 2), seed: seed)
        }
        var (whole, other) = (try make(1), try make(2))
        var batches: [[Int]] = []
        for _ in 0..<30 {
            var resumed = try make(1)
            resumed.go(to: whole.position)
            batches.append(whole.next())
            #expect(resumed.next() == batches.last)
            #expect(resumed.position == whole.position && resumed.finishedEpochs == whole.finishedEpochs)
        }
        #expect((0..<30).map { _ in other.next() } != batches)
        var again = whole.restarted(stream: [])
        #expect((0..<30).map { _ in again.next() } == batches)
        var stream = whole.restarted(stream: [1])
        #expect((0..<30).map { _ in stream.next() } != batches)
        #expect(throws: DatasetError.self) {
            try IdentitySampler(labels: [0, 0, 1], .groups(identities: 3, sightings: 2), seed: 1)
        }
    }

    @Test(
        "a batch of triplets has its anchors, their positives and negatives; in a pass each sighting has as many positives"
    )
    func triplets() throws {
        let labels = labels([5, 3, 1, 4])
        var sampler = try IdentitySampler(labels: labels, .triplets(6, positives: 3), seed: 4)
        let batches = pass(&sampler)
        // One of an identity alone has no positive: (5 + 3 + 4) · 3 pairs.
        #expect(batches.count == 6)
        var positives: [Int: [Int]] = [:]
        for batch in batches {
            #expect(batch.count == 18)
            for index in 0..<6 {
                let (anchor, positive, negative) = (batch[index], batch[6 + index], batch[12 + index])
                #expect(anchor != positive && labels[anchor] == labels[positive] && labels[anchor] != labels[negative])
                positives[anchor, default: []].append(positive)
            }
        }
        #expect(positives.count == 12 && positives.values.allSatisfy { $0.count == 3 })
        #expect(positives.allSatisfy { anchor, own in labels[anchor] == 1 || Set(own).count == 3 })
        #expect(throws: DatasetError.self) {
            try IdentitySampler(labels: [0, 1, 2], .triplets(2, positives: 1), seed: 1)
        }
    }

    @Test("triples pair each anchor with its own identity and another")
    func triples() {
        var generator = SplitMix64(seed: 3)
        let labels = [0, 0, 0, 1, 1, 1, 2, 2, 2]
        let triples = IdentitySampler.triples(labels: labels, positives: 8, &generator)
        #expect(triples.count == 18)
        for triple in triples {
            #expect(triple[0] != triple[1] && labels[triple[0]] == labels[triple[1]])
            #expect(labels[triple[0]] != labels[triple[2]])
        }
        #expect(IdentitySampler.triples(labels: labels, positives: 1, &generator).count == 9)
    }
}
