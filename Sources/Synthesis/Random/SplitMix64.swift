/// The SplitMix64 generator (Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
///
/// One 64-bit word of state and full period, so that every identity, camera and sighting can have a stream of its
/// own: what is drawn for one of them never depends on which others were drawn before, nor on which thread.
/// The standard library's distributions are not used, because their algorithms may change between releases.
package struct SplitMix64: Sendable {
    /// What a stream is for. Streams of different purposes with equal keys are unrelated.
    package enum Purpose: UInt64, Sendable {
        case identity = 1
        case camera, backdrop, schedule, sighting, sensor
    }

    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15
    private var state: UInt64

    /// The reference generator, started at `seed`.
    package init(seed: UInt64) {
        state = seed
    }

    /// The stream that belongs to `purpose` and `keys` under a data set's seed.
    package init(seed: UInt64, purpose: Purpose, _ keys: Int...) {
        var state = Self.scrambled(seed &+ Self.increment &* purpose.rawValue)
        for key in keys {
            state = Self.scrambled((state ^ UInt64(bitPattern: Int64(key))) &+ Self.increment)
        }
        self.state = state
    }

    /// The next 64 uniformly distributed bits.
    package mutating func next() -> UInt64 {
        state &+= Self.increment
        return Self.scrambled(state)
    }

    /// SplitMix64's output function: a bijection in which every input bit reaches every output bit.
    static func scrambled(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
