import Imaging
import Testing

@Suite("Resizing and geometry")
struct ResizingTests {
    @Test(
        "resizing agrees with Pillow to one level, up and down, at any ratio", arguments: Interpolation.allCases,
        [(13, 10), (26, 7), (9, 19), (64, 50), (1, 1), (3, 40), (25, 18)])
    func resizing(interpolation: Interpolation, size: (width: Int, height: Int)) throws {
        let image = try ImageDecoder().decode(Fixture.bytes("rgb8.png"))
        let found = image.resized(width: size.width, height: size.height, interpolation: interpolation)
        let expected = try Fixture.pixels("resize_\(interpolation.rawValue)_\(size.width)x\(size.height)")
        #expect(worst(found.pixels, expected) <= 1)
    }

    @Test("the same size is the same image")
    func identity() throws {
        let image = try ImageDecoder().decode(Fixture.bytes("grey8.png"))
        #expect(image.resized(width: image.width, height: image.height, interpolation: .bicubic) == image)
    }

    @Test("crops, flips and replication move values and change none")
    func geometry() {
        let image = Image(width: 3, height: 2, channels: 1, pixels: [1, 2, 3, 4, 5, 6])
        #expect(image.cropped(to: Image.Box(x: 1, y: 0, width: 2, height: 2)).pixels == [2, 3, 5, 6])
        #expect(image.flippedHorizontally().pixels == [3, 2, 1, 6, 5, 4])
        #expect(image.replicatedToRGB().pixels.prefix(6) == [1, 1, 1, 2, 2, 2])
    }
}
