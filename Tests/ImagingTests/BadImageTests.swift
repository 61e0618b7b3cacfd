import Foundation
import Imaging
import Testing

@Suite("Bad images")
struct BadImageTests {
    private static let sources = [
        "ycbcr.jpg", "progressive.jpg", "cmyk.jpg", "exif6.jpg", "rgba8.png", "palette.png", "thermal16.png",
    ]

    @Test("no bytes and other files are named")
    func unrecognised() {
        #expect(throws: ImagingError.empty) { try ImageDecoder().decode(Data()) }
        #expect(throws: ImagingError.unrecognised(start: "3c 68 74 6d")) {
            try ImageDecoder().decode(Data("<html>".utf8))
        }
        #expect(throws: ImagingError.unrecognised(start: "ff")) { try ImageDecoder().decode(Data([0xFF])) }
    }

    @Test("the type is told from the bytes: a cut of any length is an error, never an image", arguments: sources)
    func truncation(name: String) throws {
        let bytes = try Fixture.bytes(name)
        for length in stride(from: 1, to: bytes.count - 2, by: 3) {
            #expect(throws: ImagingError.self, "\(length) of \(bytes.count) bytes") {
                try ImageDecoder().decode(bytes.prefix(length))
            }
        }
    }

    @Test("thousands of damaged images give an image or an error, never a crash", arguments: sources)
    func damage(name: String) throws {
        let bytes = try Fixture.bytes(name)
        var state: UInt64 = 42
        for _ in 0..<600 {
            var damaged = bytes
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let at = Int(state >> 33) % bytes.count
                damaged[damaged.startIndex + at] = UInt8(truncatingIfNeeded: state >> 24)
            }
            _ = try? ImageDecoder(limits: ImageLimits(pixels: 1_000_000)).decode(damaged)
        }
    }

    @Test("a gigantic image is refused by its header, before memory is taken")
    func gigantic() throws {
        for (width, height) in [(65535, 65535), (0x7FFF_FFFF, 1)] {
            var file = PNGFile(width: width, height: height)
            file.add("IDAT", Zlib.zeros(atLeast: 1000))
            let before = try Memory.peak()
            #expect(
                throws: height == 1
                    ? ImagingError.tooLong(limit: 65_535, width: width, height: height)
                    : ImagingError.tooManyPixels(limit: 40_000_000, width: width, height: height)
            ) { try ImageDecoder().decode(file.finished) }
            #expect(try Memory.peak() - before < 100_000, "kilobytes")
        }
        #expect(throws: ImagingError.tooManyBytes(limit: 10, found: 11)) {
            try ImageDecoder(limits: ImageLimits(bytes: 10)).decode(Data(repeating: 0xFF, count: 11))
        }
        #expect(throws: ImagingError.tooManyPixels(limit: 100, width: 26, height: 19)) {
            try ImageDecoder(limits: ImageLimits(pixels: 100)).decode(Fixture.bytes("ycbcr.jpg"))
        }
    }

    @Test("an image that cannot be encoded is an error")
    func encoding() {
        let image = Image(width: 1, height: 1, channels: 1, pixels: [0])
        #expect(throws: ImagingError.self) { try JPEGEncoder.encode(image, quality: 0) }
        #expect(throws: ImagingError.self) { try PNGEncoder.encode(grey: [1, 2], width: 3, height: 1) }
    }
}
