/// The SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
///
/// One 64-bit word of state and full period: cheap enough for a stream of its own for each thing that is drawn, so that
/// what is drawn for one never depends on the others. The distributions are here, and not the standard library's, because
/// the same seed must give the same numbers in every release.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15
    /// What the next numbers depend on: a generator whose seed is this goes on from here.
    public private(set) var state: UInt64

    /// The reference generator, started at `seed`.
    public init(seed: UInt64) { state = seed }

    /// The stream that belongs to `keys` under a seed; streams of different keys are unrelated.
    public init(seed: UInt64, stream keys: UInt64...) {
        self.init(seed: seed, stream: keys)
    }

    /// The stream that belongs to `keys` under a seed; streams of different keys are unrelated.
    public init(seed: UInt64, stream keys: [UInt64]) {
        state = keys.reduce(Self.scrambled(seed)) { Self.scrambled(($0 ^ $1) &+ Self.increment) }
    }

    /// The next 64 uniformly distributed bits.
    public mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.scrambled(state)
    }

    /// The generator's output function: a bijection in which every input bit reaches every output bit.
    package static func scrambled(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
