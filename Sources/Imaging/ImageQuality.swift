/// How much of its object an image shows.
public struct ImageQuality: Sendable, Equatable {
    /// The shorter side, in pixels.
    public let side: Int
    /// The variance of the Laplacian of the luminance, in squares of 8-bit levels (Pech-Pacheco et al., ICPR 2000): near 0 where
    /// everything is blurred.
    public let sharpness: Double
    /// The standard deviation of the luminance, in 8-bit levels.
    public let contrast: Double

    /// Of an image that came with a shorter side of `side`. Images of one size are on one scale. O(pixels).
    public init(of image: Image, side: Int) {
        let luminance = image.luminance
        let (width, height) = (image.width, image.height)
        var laplacian: [Int] = []
        laplacian.reserveCapacity(max(width - 2, 0) * max(height - 2, 0))
        for y in 1..<max(height - 1, 1) {
            for x in 1..<max(width - 1, 1) {
                let at = y * width + x
                laplacian.append(
                    luminance[at - 1] + luminance[at + 1] + luminance[at - width] + luminance[at + width]
                        - 4 * luminance[at])
            }
        }
        self.side = side
        sharpness = Self.variance(laplacian)
        contrast = Self.variance(luminance).squareRoot()
    }

    private static func variance(_ values: [Int]) -> Double {
        if values.isEmpty { return 0 }
        let (sum, squares) = values.reduce((0, 0)) { ($0.0 + $1, $0.1 + $1 * $1) }
        let mean = Double(sum) / Double(values.count)
        return max(Double(squares) / Double(values.count) - mean * mean, 0)
    }
}

extension Image {
    /// Of ITU-R BT.601, as Pillow's "L".
    fileprivate var luminance: [Int] {
        if channels == 1 { return pixels.map(Int.init) }
        return stride(from: 0, to: pixels.count, by: 3).map { at in
            (Int(pixels[at]) * 19595 + Int(pixels[at + 1]) * 38470 + Int(pixels[at + 2]) * 7471 + 0x8000) >> 16
        }
    }
}
