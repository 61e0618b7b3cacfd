import Foundation

extension SplitMix64 {
    /// Uniform in [0, 1), on a grid of 2⁻²⁴, so that every value is exact in `Float`.
    public mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }

    /// Uniform between the bounds.
    public mutating func uniform(_ range: ClosedRange<Float>) -> Float {
        range.lowerBound + (range.upperBound - range.lowerBound) * unit()
    }

    /// Standard normal (Box and Muller, 1958).
    public mutating func normal() -> Float {
        let radius = (-2 * log(1 - Double(unit()))).squareRoot()
        return Float(radius * cos(2 * .pi * Double(unit())))
    }

    /// True with the given probability.
    public mutating func chance(_ probability: Float) -> Bool { unit() < probability }

    /// Uniform in `0..<bound`; bounds are small, so that the modulo's bias (below 2⁻⁴⁰) is of no account.
    public mutating func index(below bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// The elements in random order (Fisher and Yates).
    public mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var result = elements
        for i in result.indices.dropFirst().reversed() { result.swapAt(i, index(below: i + 1)) }
        return result
    }
}
