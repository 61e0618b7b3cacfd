import Imaging
import Testing

struct QualityTests {
    private func grey(_ width: Int, _ height: Int, _ value: (Int, Int) -> Int) -> Image {
        let pixels = (0..<(width * height)).map { UInt8(value($0 % width, $0 / width)) }
        return Image(width: width, height: height, channels: 1, pixels: pixels)
    }

    @Test("A flat image shows nothing; contrast is the standard deviation, sharpness the Laplacian's variance")
    func numbers() {
        let flat = ImageQuality(of: grey(8, 6) { _, _ in 90 }, side: 500)
        #expect(flat.side == 500 && flat.sharpness == 0 && flat.contrast == 0)
        let halves = ImageQuality(of: grey(8, 6) { x, _ in x < 4 ? 0 : 200 }, side: 6)
        #expect(abs(halves.contrast - 100) < 1e-9)
        // Of six columns within, two have a Laplacian of 200 and -200: 2 * 200 squared / 6.
        #expect(abs(halves.sharpness - 40000.0 / 3) < 1e-6)
        #expect(ImageQuality(of: grey(2, 2) { x, _ in x * 9 }, side: 2).sharpness == 0)
    }

    @Test("A blurred image is less sharp, and colours count by their luminance")
    func blur() {
        let sharp = grey(64, 64) { x, y in (x / 4 + y / 4) % 2 * 255 }
        let small = sharp.resized(width: 16, height: 16, interpolation: .bilinear)
        let blurred = small.resized(width: 64, height: 64, interpolation: .bilinear)
        #expect(ImageQuality(of: blurred, side: 64).sharpness < ImageQuality(of: sharp, side: 64).sharpness / 4)
        #expect(ImageQuality(of: sharp.replicatedToRGB(), side: 64) == ImageQuality(of: sharp, side: 64))
    }
}
