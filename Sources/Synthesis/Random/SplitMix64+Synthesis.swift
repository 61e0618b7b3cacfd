import Randomness

extension SplitMix64 {
    /// What a stream is for. Streams of different purposes with equal keys are unrelated.
    package enum Purpose: UInt64, Sendable {
        case identity = 1
        case camera, backdrop, schedule, sighting, sensor
    }

    /// The stream that belongs to `purpose` and `keys` under a data set's seed.
    package init(seed: UInt64, purpose: Purpose, _ keys: Int...) {
        self.init(seed: seed, stream: [purpose.rawValue] + keys.map { UInt64(bitPattern: Int64($0)) })
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
