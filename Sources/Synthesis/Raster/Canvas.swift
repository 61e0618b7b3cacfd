/// A raster of `Spectrum` values: the scene as all three cameras would see it without light, lens and sensor.
package struct Canvas: Sendable {
    package let width: Int
    package let height: Int
    /// Row by row from the top.
    package private(set) var pixels: [SIMD8<Float>]

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
        pixels = Array(repeating: .zero, count: width * height)
    }

    /// Paints over what is there, by each pixel's coverage and the brush's opacity. O(area of the path's box).
    package mutating func fill(_ path: Path, with brush: Brush) {
        let mask = CoverageMask(path, canvasWidth: width, canvasHeight: height)
        mask.forEachCovered { x, y, coverage in
            let (surface, opacity) = brush.sample(Point(Float(x) + 0.5, Float(y) + 0.5))
            let index = y * width + x
            pixels[index] += (surface - pixels[index]) * (opacity * coverage)
        }
    }

    /// Adds the sum of `glows` to what is there, within the path. O(area of the path's box × glows).
    package mutating func add(_ glows: [RadialGlow], within path: Path) {
        let mask = CoverageMask(path, canvasWidth: width, canvasHeight: height)
        mask.forEachCovered { x, y, coverage in
            let centre = Point(Float(x) + 0.5, Float(y) + 0.5)
            for glow in glows {
                pixels[y * width + x] += glow.value(at: centre) * coverage
            }
        }
    }

    /// Replaces every pixel by `transform` of its centre and value.
    package mutating func update(_ transform: (Point, SIMD8<Float>) -> SIMD8<Float>) {
        for y in 0..<height {
            for x in 0..<width {
                let index = y * width + x
                pixels[index] = transform(Point(Float(x) + 0.5, Float(y) + 0.5), pixels[index])
            }
        }
    }
}
