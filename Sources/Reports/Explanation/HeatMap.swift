import Imaging

/// A map of numbers as colours over a picture.
struct HeatMap {
    /// From nothing to most: dark violet, red, yellow.
    private static let stops: [SIMD3<Float>] = [
        [10, 4, 40], [90, 16, 110], [190, 55, 84], [249, 142, 9], [252, 255, 164],
    ]
    /// How much of a pixel is the map's.
    private static let opacity: Float = 0.6

    private let levels: Image

    /// Rows of numbers, the least of which is dark and the most bright.
    init(_ rows: [[Float]]) {
        let values = rows.joined()
        let (low, high) = (values.min() ?? 0, values.max() ?? 0)
        let scale = high > low ? 255 / (high - low) : 0
        levels = Image(
            width: rows.first?.count ?? 0, height: rows.count, channels: 1,
            pixels: values.map { UInt8((($0 - low) * scale).rounded()) })
    }

    /// The map over a picture's brightness.
    func laid(over image: Image) -> Image {
        let level = levels.resized(width: image.width, height: image.height, interpolation: .bilinear)
        let picture = image.replicatedToRGB()
        var pixels = [UInt8]()
        pixels.reserveCapacity(picture.pixels.count)
        for index in level.pixels.indices {
            let colour = Self.colour(Float(level.pixels[index]) / 255)
            let own = picture.pixels[(3 * index)..<(3 * index + 3)].reduce(Float(0)) { $0 + Float($1) / 3 }
            let mixed = colour * Self.opacity + SIMD3(repeating: own * (1 - Self.opacity))
            for channel in 0..<3 { pixels.append(UInt8(min(max(mixed[channel], 0), 255))) }
        }
        return Image(width: image.width, height: image.height, channels: 3, pixels: pixels)
    }

    private static func colour(_ share: Float) -> SIMD3<Float> {
        let place = share * Float(stops.count - 1)
        let index = min(Int(place), stops.count - 2)
        let rest = place - Float(index)
        return stops[index] * (1 - rest) + stops[index + 1] * rest
    }
}
