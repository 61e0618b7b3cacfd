import Randomness

/// What a path is filled with: a surface and how much of what is beneath it hides, possibly varying over the canvas.
package enum Brush: Sendable {
    case solid(Spectrum, opacity: Spectrum = .opaque)
    /// Along a direction, through any number of stops.
    case linear(LinearGradient)
    /// One surface in patches of lighter and darker, as asphalt and foliage are.
    case grained(Spectrum, grain: Grain)

    /// The surface and its opacity at a pixel's centre.
    func sample(_ point: Point) -> (surface: SIMD8<Float>, opacity: SIMD8<Float>) {
        switch self {
        case .solid(let surface, let opacity): (surface.bands, opacity.bands)
        case .linear(let gradient): (gradient.surface(at: point), gradient.opacity.bands)
        case .grained(let surface, let grain): (grain.applied(to: surface, at: point), Spectrum.opaque.bands)
        }
    }
}

/// Surfaces that blend into each other between `start` and `end`, constant beyond them.
package struct LinearGradient: Sendable {
    var start: Point
    var end: Point
    /// Position from 0 (`start`) to 1 (`end`), ascending, and the surface there.
    var stops: [(position: Float, surface: Spectrum)]
    var opacity: Spectrum = .opaque

    func surface(at point: Point) -> SIMD8<Float> {
        let axis = end - start
        let t = ((point - start) * axis).sum() / max((axis * axis).sum(), 1e-6)
        guard let upper = stops.firstIndex(where: { $0.position > t }) else {
            return stops[stops.count - 1].surface.bands
        }
        guard upper > 0 else { return stops[0].surface.bands }
        let (a, b) = (stops[upper - 1], stops[upper])
        let fraction = (t - a.position) / (b.position - a.position)
        return a.surface.bands + (b.surface.bands - a.surface.bands) * fraction
    }
}

/// Value noise that modulates a surface: its reflectances by a factor, its temperature by an offset.
package struct Grain: Sendable {
    var seed: UInt64
    /// Patches in pixels.
    var scale: Point
    /// The largest relative change of reflectance.
    var contrast: Float
    /// The largest change of temperature, in kelvin.
    var kelvin: Float

    func applied(to surface: Spectrum, at point: Point) -> SIMD8<Float> {
        let noise = 0.6 * value(at: point / scale) + 0.4 * value(at: point / scale * 2.7)
        return surface.lit(1 + noise * contrast).bands + SIMD8(0, 0, 0, 0, noise * kelvin, 0, 0, 0)
    }

    /// Smoothly interpolated random values of a lattice, in -1…1.
    private func value(at point: Point) -> Float {
        let cell = point.rounded(.down)
        let (u, v) = (smoothstep(point.x - cell.x), smoothstep(point.y - cell.y))
        let top = mix(corner(cell, 0, 0), corner(cell, 1, 0), u)
        let bottom = mix(corner(cell, 0, 1), corner(cell, 1, 1), u)
        return mix(top, bottom, v)
    }

    private func corner(_ cell: Point, _ dx: Int, _ dy: Int) -> Float {
        let key =
            UInt64(bitPattern: Int64(cell.x) + Int64(dx)) &* 0x1_0001 ^ UInt64(bitPattern: Int64(cell.y) + Int64(dy))
        return Float(SplitMix64.scrambled(seed &+ key &* 0x9E37_79B9_7F4A_7C15) >> 40) * 0x1p-23 - 1
    }
}

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
