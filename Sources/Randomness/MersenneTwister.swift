/// MT19937 (Matsumoto and Nishimura, 1998), seeded and asked as Python's `random` does: for galleries that a benchmark's own
/// code draws with it.
public struct MersenneTwister: Sendable {
    private var state = [UInt32](repeating: 0, count: 624)
    private var next = 624

    /// As `random.seed(seed)`.
    public init(seed: UInt32) {
        state[0] = 19_650_218
        for i in 1..<624 { state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i) }
        // The key is the seed alone, so that its index stays 0.
        var i = 1
        for _ in 0..<624 { mix(&i) { old, before, _ in (old ^ (before &* 1_664_525)) &+ seed } }
        for _ in 0..<623 { mix(&i) { old, before, i in (old ^ (before &* 1_566_083_941)) &- UInt32(i) } }
        state[0] = 0x8000_0000
    }

    private mutating func mix(_ i: inout Int, _ combine: (UInt32, UInt32, Int) -> UInt32) {
        state[i] = combine(state[i], state[i - 1] ^ (state[i - 1] >> 30), i)
        i += 1
        if i == 624 {
            state[0] = state[623]
            i = 1
        }
    }

    /// 32 random bits.
    public mutating func bits() -> UInt32 {
        if next == 624 { twist() }
        var y = state[next]
        next += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9D2C_5680
        y ^= (y << 15) & 0xEFC6_0000
        return y ^ (y >> 18)
    }

    private mutating func twist() {
        for i in 0..<624 {
            let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7FFF_FFFF)
            state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
        }
        next = 0
    }

    /// An index below `count`, at least 1: `random.choice` takes the element there.
    public mutating func index(below count: Int) -> Int {
        let width = Int.bitWidth - count.leadingZeroBitCount
        while true {
            let drawn = Int(bits() >> (32 - width))
            if drawn < count { return drawn }
        }
    }

    /// So many different elements, or all if there are fewer; with one, as `random.choice`. As `random.sample` while there are at
    /// most 21 elements to draw from, or 85 for six to 21 of them.
    public mutating func sample<Element>(_ elements: [Element], _ count: Int) -> [Element] {
        var pool = elements
        return (0..<min(count, pool.count)).map { taken in
            let last = elements.count - taken - 1
            let at = index(below: last + 1)
            defer { pool[at] = pool[last] }
            return pool[at]
        }
    }
}
