import Foundation

/// One band of a picture, as `Float`.
struct Plane {
    let width: Int
    let height: Int
    var values: [Float]

    /// A band of a canvas: 0–2 red, green, blue, 3 near infrared, 4 thermal.
    init(_ canvas: Canvas, band: Int) {
        width = canvas.width
        height = canvas.height
        values = canvas.pixels.map { $0[band] }
    }

    /// Convolves with a Gaussian of the given standard deviation in pixels, edges continued. O(pixels × sigma).
    mutating func blur(sigma: Float) {
        let radius = Int((2.5 * sigma).rounded(.up))
        let weights = (-radius...radius).map { exp(-Float($0 * $0) / (2 * sigma * sigma)) }
        let sum = weights.reduce(0, +)
        let kernel = weights.map { $0 / sum }
        values = Self.convolved(values, kernel, lines: height, count: width, lineStride: width, stride: 1)
        values = Self.convolved(values, kernel, lines: width, count: height, lineStride: 1, stride: width)
    }

    private static func convolved(
        _ input: [Float], _ kernel: [Float], lines: Int, count: Int, lineStride: Int, stride: Int
    ) -> [Float] {
        let radius = kernel.count / 2
        var output = input
        for line in 0..<lines {
            for index in 0..<count {
                var sum: Float = 0
                for tap in kernel.indices {
                    let at = min(max(index + tap - radius, 0), count - 1)
                    sum += kernel[tap] * input[line * lineStride + at * stride]
                }
                output[line * lineStride + index * stride] = sum
            }
        }
        return output
    }
}
