import Foundation
import Imaging
import Testing

@Suite("Decoding")
struct DecodingTests {
    private static let names = [
        "grey.jpg", "ycbcr.jpg", "ycbcr444.jpg", "progressive.jpg", "cmyk.jpg", "exif1.jpg", "exif2.jpg", "exif3.jpg",
        "exif4.jpg", "exif5.jpg", "exif6.jpg", "exif7.jpg", "exif8.jpg", "rgb8.png", "grey8.png", "rgba8.png",
        "greyalpha8.png", "palette.png", "bit1.png", "thermal16.png",
    ]

    @Test("every kind of image has the pixels that Pillow reads, upright", arguments: names)
    func pixels(name: String) throws {
        let image = try ImageDecoder().decode(Fixture.bytes(name))
        let size = try #require(try Fixture.manifest()[name])
        #expect([image.width, image.height] == size)
        #expect(image.channels == 3)
        let stem = String(name.prefix { $0 != "." })
        // Exact for PNG; libjpeg's versions may round differently by a level or two.
        #expect(worst(image.pixels, try Fixture.pixels(stem)) <= (name.hasSuffix("png") ? 0 : 2))
    }

    @Test("the manifest lists no image that is not tested")
    func complete() throws { #expect(try Fixture.manifest().keys.sorted() == Self.names.sorted()) }

    @Test("a configured thermal range replaces the percentiles")
    func thermalRange() throws {
        let image = try ImageDecoder(thermalRange: 21000...24000).decode(Fixture.bytes("thermal16.png"))
        #expect(try image.pixels == Fixture.pixels("thermal16_range"))
    }

    @Test("a constant thermal image is black, not a division by zero")
    func constantThermal() throws {
        let bytes = try PNGEncoder.encode(grey: [UInt16](repeating: 30000, count: 12), width: 4, height: 3)
        #expect(try ImageDecoder().decode(bytes).pixels.allSatisfy { $0 == 0 })
    }

    @Test("what is written is read back: PNG exactly, JPEG nearly")
    func roundTrip() throws {
        let image = try ImageDecoder().decode(Fixture.bytes("rgb8.png"))
        #expect(try ImageDecoder().decode(PNGEncoder.encode(image)) == image)
        let jpeg = try ImageDecoder().decode(JPEGEncoder.encode(image, quality: 100, subsampled: false))
        #expect(worst(jpeg.pixels, image.pixels) <= 4)
        let values: [UInt16] = [0, 1, 256, 65535, 513, 40000]
        let thermal = try ImageDecoder(thermalRange: 0...65535)
            .decode(PNGEncoder.encode(grey: values, width: 3, height: 2))
        #expect(
            thermal.pixels
                == values.flatMap { [UInt8](repeating: UInt8((Float($0) / 65535 * 255).rounded()), count: 3) })
    }
}
