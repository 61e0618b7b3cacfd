import Foundation
import Imaging
import Testing

@Suite("Scaled decoding")
struct ScaledDecodingTests {
    /// Shapes, edges and grain, as a camera's image has them.
    static func scene(width: Int, height: Int) -> Image {
        var noise: UInt32 = 1
        var pixels = [UInt8]()
        for y in 0..<height {
            for x in 0..<width {
                noise = noise &* 1_664_525 &+ 1_013_904_223
                let (u, v) = (Double(x) / Double(width), Double(y) / Double(height))
                let isInside = (u - 0.4) * (u - 0.4) + (v - 0.6) * (v - 0.6) < 0.06
                for c in 0..<3 {
                    let waves = sin(u * 37 + Double(c)) * cos(v * 29) * 40
                    let level = 110 + 60 * u + waves + (isInside ? 45 : 0) + Double(noise >> 28) - 8
                    pixels.append(UInt8(min(max(level, 0), 255)))
                }
            }
        }
        return Image(width: width, height: height, channels: 3, pixels: pixels)
    }

    static func jpeg(_ width: Int, _ height: Int) throws -> Data {
        try JPEGEncoder.encode(scene(width: width, height: height), quality: 90)
    }

    /// A JPEG with an EXIF block that notes an orientation.
    static func jpeg(_ jpeg: Data, orientation: UInt8) -> Data {
        let tiff: [UInt8] =
            [0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
        let contents = Array("Exif\0\0".utf8) + tiff
        return jpeg.prefix(2) + [0xFF, 0xE1, 0, UInt8(contents.count + 2)] + contents + jpeg.dropFirst(2)
    }

    /// The mean absolute difference to the whole image, both resized to the target.
    private static func difference(_ file: Data, _ target: Image.Size) throws -> Double {
        let images = [try ImageDecoder().decode(file), try ImageDecoder().decode(file, for: target)].map {
            $0.resized(width: target.width, height: target.height, interpolation: .bilinear).pixels
        }
        return zip(images[0], images[1]).reduce(0) { $0 + abs(Double($1.0) - Double($1.1)) } / Double(images[0].count)
    }

    @Test(
        "a large JPEG is decoded at the least part that leaves twice the target, and resizes to nearly the same",
        arguments: [
            // As much as the target allows of 1600 × 1200, to the pixel.
            (100, 75, 200, 150), (101, 75, 400, 300), (100, 76, 400, 300), (256, 128, 800, 600), (224, 224, 800, 600),
            (400, 300, 800, 600), (401, 300, 1600, 1200), (2000, 1500, 1600, 1200),
        ])
    func sizes(width: Int, height: Int, decodedWidth: Int, decodedHeight: Int) throws {
        let (file, target) = (try Self.jpeg(1600, 1200), Image.Size(width: width, height: height))
        let image = try ImageDecoder().decode(file, for: target)
        #expect(image.size == Image.Size(width: decodedWidth, height: decodedHeight))
        #expect(try Self.difference(file, target) < 0.5, "levels of 255")
    }

    @Test(
        "a part that would end within a pixel is not taken", arguments: [(804, 400, 2), (802, 404, 1), (801, 400, 0)])
    func wholePixels(width: Int, height: Int, halvings: Int) throws {
        let image = try ImageDecoder().decode(Self.jpeg(width, height), for: Image.Size(width: 8, height: 8))
        #expect(image.size == Image.Size(width: width >> halvings, height: height >> halvings))
    }

    @Test("no side is ever less than twice the target unless the whole image's is, and none more than it must be")
    func bounds() throws {
        for (width, height) in [(8, 8), (16, 32), (64, 64), (128, 40), (200, 248)] {
            let file = try Self.jpeg(width, height)
            for side in 1..<40 {
                let image = try ImageDecoder().decode(file, for: Image.Size(width: side, height: side))
                let least = 2 * side
                #expect(image.width >= min(least, width) && image.height >= min(least, height))
                let isLeast = min(image.width, image.height) < 2 * least || image.width == width / 8
                #expect(isLeast, "\(image.size) of \(width) × \(height) for \(side)")
            }
        }
    }

    @Test(
        "the target is that of the upright image, whichever way it was stored",
        arguments: UInt8(1)...8)
    func orientation(orientation: UInt8) throws {
        let isTurned = orientation >= 5
        let file = Self.jpeg(try Self.jpeg(640, 160), orientation: orientation)
        let target = isTurned ? Image.Size(width: 16, height: 128) : Image.Size(width: 128, height: 16)
        let image = try ImageDecoder().decode(file, for: target)
        #expect(image.size == (isTurned ? Image.Size(width: 80, height: 320) : Image.Size(width: 320, height: 80)))
        #expect(try Self.difference(file, target) < 0.5)
    }

    @Test(
        "grey, CMYK, progressive and unsubsampled JPEGs are scaled like others",
        arguments: ["grey.jpg", "cmyk.jpg", "progressive.jpg", "ycbcr.jpg", "ycbcr444.jpg"])
    func kinds(name: String) throws {
        let (file, target) = (try Self.withWholeBlocks(Fixture.bytes(name)), Image.Size(width: 4, height: 3))
        let image = try ImageDecoder().decode(file, for: target)
        #expect(image.size == Image.Size(width: 8, height: 6) && image.channels == 3)
        // Of 8 × 8 shades of one block, 2 × 2 means are left; subsampled colours are coarser.
        let whole = try ImageDecoder().decode(file)
        let errors = image.pixels.indices.map { index in
            let (column, row, channel) = (index / 3 % 8 * 4, index / 24 * 4, index % 3)
            let cell = (0..<16).map { Int(whole.pixels[((row + $0 / 4) * 32 + column + $0 % 4) * 3 + channel]) }
            return abs(Double(image.pixels[index]) - Double(cell.reduce(0, +)) / 16)
        }
        #expect(errors.reduce(0, +) / Double(errors.count) < 3)
    }

    @Test(
        "cut or damaged, a scaled JPEG is an error or an image",
        arguments: ["cmyk.jpg", "progressive.jpg", "ycbcr.jpg"])
    func damage(name: String) throws {
        let (file, target) = (try Self.withWholeBlocks(Fixture.bytes(name)), Image.Size(width: 1, height: 1))
        let decoder = ImageDecoder(limits: ImageLimits(pixels: 1_000_000))
        for length in stride(from: 1, to: file.count - 2, by: 3) {
            #expect(throws: ImagingError.self, "\(length)") { try decoder.decode(file.prefix(length), for: target) }
        }
        for at in file.indices {
            var damaged = file
            damaged[at] ^= 1 << UInt8(at % 8)
            _ = try? decoder.decode(damaged, for: target)
        }
    }

    /// A fixture of 26 × 19 pixels with its last blocks of 8 × 8 shown whole: 32 × 24, in the frame's header.
    private static func withWholeBlocks(_ jpeg: Data) throws -> Data {
        let size = Data([0, 19, 0, 26])
        let frames = [0xC0, 0xC2].compactMap { marker in
            jpeg.firstRange(of: Data([0xFF, marker])).map { ($0.lowerBound + 5)..<($0.lowerBound + 9) }
        }
        let frame = try #require(frames.first { jpeg[$0] == size })
        var jpeg = jpeg
        jpeg.replaceSubrange(frame, with: [0, 24, 0, 32])
        return jpeg
    }

    @Test("a PNG is decoded whole")
    func png() throws {
        let file = try Fixture.bytes("rgb8.png")
        #expect(try ImageDecoder().decode(file, for: Image.Size(width: 1, height: 1)) == ImageDecoder().decode(file))
    }

    @Test("limits judge the whole image, however little of it would be decoded")
    func limits() throws {
        let decoder = ImageDecoder(limits: ImageLimits(pixels: 10_000))
        #expect(throws: ImagingError.tooManyPixels(limit: 10_000, width: 200, height: 248)) {
            try decoder.decode(Self.jpeg(200, 248), for: Image.Size(width: 4, height: 4))
        }
    }
}
