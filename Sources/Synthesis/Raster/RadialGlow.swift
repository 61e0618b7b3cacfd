/// Light or heat that a source adds to what is around it: all of `amount` at the centre, nothing beyond `radii`.
package struct RadialGlow: Sendable {
    /// In pixels.
    var centre: Point
    var radii: Point
    var amount: Spectrum

    /// What it adds at a point.
    func value(at point: Point) -> SIMD8<Float> {
        let offset = (point - centre) / radii
        let squared = (offset * offset).sum()
        return squared < 1 ? amount.bands * smoothstep(1 - squared.squareRoot()) : .zero
    }

    /// The pixels that it can reach.
    var reach: Path {
        let (low, high) = (centre - radii, centre + radii)
        return .rectangle(low.x...high.x, low.y...high.y)
    }
}
