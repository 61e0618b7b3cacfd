extension SplitMix64 {
    /// Uniform in [0, 1), on a grid of 2⁻²⁴, so that every value is exact in `Float`.
    package mutating func unit() -> Float {
        Float(next() >> 40) * 0x1p-24
    }

    /// Uniform between the bounds.
    package mutating func uniform(_ range: ClosedRange<Float>) -> Float {
        range.lowerBound + (range.upperBound - range.lowerBound) * unit()
    }

    /// Zero mean, unit variance, nearly Gaussian, never beyond ±2√3: the sum of four 16-bit uniforms (Irwin–Hall).
    ///
    /// One draw and no transcendental function: sensor noise needs five of these a pixel, and the bounded tail
    /// makes no difference at eight bits.
    package mutating func gaussian() -> Float {
        let word = next()
        let sum = (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48)
        return (Float(sum) * 0x1p-16 - 2) * 1.732_050_8
    }

    /// True with the given probability.
    package mutating func chance(_ probability: Float) -> Bool {
        unit() < probability
    }

    /// Uniform in `0..<bound`; `bound` is small, so that the modulo's bias (below 2⁻⁵⁰) is of no account.
    package mutating func index(below bound: Int) -> Int {
        Int(next() % UInt64(bound))
    }

    /// One of the cases of an attribute, each as often as its weight says.
    package mutating func draw<Attribute: WeightedAttribute>(_: Attribute.Type = Attribute.self) -> Attribute {
        let cases = Array(Attribute.allCases)
        var remaining = unit() * cases.reduce(0) { $0 + $1.weight }
        for attribute in cases.dropLast() {
            remaining -= attribute.weight
            if remaining < 0 { return attribute }
        }
        return cases[cases.count - 1]
    }
}

/// An attribute with few values, of which some are much more frequent than others, as on a real road.
package protocol WeightedAttribute: CaseIterable {
    /// How frequent this value is, relative to the others.
    var weight: Float { get }
}
