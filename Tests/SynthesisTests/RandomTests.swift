import Randomness
import Synthesis
import Testing

private enum Coin: String, WeightedAttribute {
    case heads, tails, edge

    var weight: Float {
        switch self {
        case .heads: 0.6
        case .tails: 0.3
        case .edge: 0.1
        }
    }
}

struct RandomTests {
    @Test("The generator gives the published SplitMix64 sequence")
    func reference() {
        var random = SplitMix64(seed: 1_234_567)
        let expected: [UInt64] = [
            6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
        ]
        #expect(expected.map { _ in random.next() } == expected)
    }

    @Test("Streams differ by seed, purpose and every key, and repeat for equal ones")
    func streams() {
        var streams = [
            SplitMix64(seed: 1, purpose: .sighting, 1, 2, 3), SplitMix64(seed: 2, purpose: .sighting, 1, 2, 3),
            SplitMix64(seed: 1, purpose: .sensor, 1, 2, 3), SplitMix64(seed: 1, purpose: .sighting, 2, 1, 3),
            SplitMix64(seed: 1, purpose: .sighting, 1, 3, 2), SplitMix64(seed: 1, purpose: .sighting, 1, 2),
        ]
        #expect(Set(streams.indices.map { streams[$0].next() }).count == streams.count)
        var repeated = SplitMix64(seed: 1, purpose: .sighting, 1, 2, 3)
        var again = SplitMix64(seed: 1, purpose: .sighting, 1, 2, 3)
        #expect(repeated.next() == again.next())
    }

    @Test("Sensor noise has zero mean and unit variance")
    func gaussian() {
        var random = SplitMix64(seed: 5)
        let samples = (0..<20_000).map { _ in random.gaussian() }
        let mean = samples.reduce(0, +) / 20_000
        let variance = samples.reduce(0) { $0 + $1 * $1 } / 20_000
        #expect(abs(mean) < 0.03)
        #expect(abs(variance - 1) < 0.04)
    }

    @Test("Attributes are drawn as often as their weights say")
    func weights() {
        var random = SplitMix64(seed: 7)
        let draws = (0..<10_000).map { _ in random.draw(Coin.self) }
        for coin in Coin.allCases {
            let share = Float(draws.count { $0 == coin }) / 10_000
            #expect(abs(share - coin.weight) < 0.02)
        }
    }

    @Test("Uniform numbers stay within their bounds")
    func uniform() {
        var random = SplitMix64(seed: 9)
        #expect((0..<1000).allSatisfy { _ in (2...3).contains(random.uniform(2...3)) })
        #expect(Set((0..<100).map { _ in random.index(below: 3) }) == [0, 1, 2])
    }
}
