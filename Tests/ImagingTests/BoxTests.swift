import Foundation
import Imaging
import Testing

@Suite("Boxes")
struct BoxTests {
    /// Every side of the fixtures is 19 or 26 pixels.
    private static let boxes = [
        Image.Box(x: 0, y: 0, width: 1, height: 1), Image.Box(x: 3, y: 5, width: 9, height: 11),
        Image.Box(x: 18, y: 18, width: 1, height: 1), Image.Box(x: 0, y: 7, width: 19, height: 2),
        Image.Box(x: 8, y: 0, width: 8, height: 19),
    ]

    /// Row by row, without the code that is tested.
    private static func sliced(_ image: Image, _ box: Image.Box) -> [UInt8] {
        (box.y..<(box.y + box.height)).flatMap { y in
            (box.x..<(box.x + box.width)).flatMap { x in
                let at = (y * image.width + x) * image.channels
                return Array(image.pixels[at..<(at + image.channels)])
            }
        }
    }

    @Test("what a box shows of any kind of image, however it is turned, is what slicing the decoded image gives")
    func slices() throws {
        // 16-bit thermal images are scaled by what is shown.
        for name in try Fixture.manifest().keys where name != "thermal16.png" {
            let (file, decoder) = (try Fixture.bytes(name), ImageDecoder())
            let whole = try decoder.decode(file)
            for box in Self.boxes {
                let image = try decoder.decode(file, box: box)
                #expect(image.size == Image.Size(width: box.width, height: box.height), "\(name)")
                #expect(image.channels == 3 && image.pixels == Self.sliced(whole, box), "\(name) \(box)")
            }
            let all = Image.Box(x: 0, y: 0, width: whole.width, height: whole.height)
            #expect(try decoder.decode(file, box: all) == whole)
        }
    }

    @Test("a box is where a viewer shows it, whichever corner was stored first", arguments: UInt8(1)...8)
    func orientation(orientation: UInt8) throws {
        // White in the stored image's first corner; EXIF's tag says where that is (EXIF 2.32, tag 0x0112).
        let pixels = (0..<(48 * 32)).map { (at: Int) -> UInt8 in at % 48 < 16 && at / 48 < 16 ? 255 : 0 }
        let stored = try JPEGEncoder.encode(Image(width: 48, height: 32, channels: 1, pixels: pixels), quality: 95)
        let file = ScaledDecodingTests.jpeg(stored, orientation: orientation)
        let (width, height) = orientation >= 5 ? (32, 48) : (48, 32)
        let (isRight, isBottom) = ([2, 3, 6, 7].contains(orientation), [3, 4, 7, 8].contains(orientation))
        for (right, bottom) in [(false, false), (false, true), (true, false), (true, true)] {
            let box = Image.Box(x: right ? width - 16 : 0, y: bottom ? height - 16 : 0, width: 16, height: 16)
            let level = UInt8(right == isRight && bottom == isBottom ? 255 : 0)
            let shown = try ImageDecoder().decode(file, box: box).pixels
            #expect(worst(shown, [UInt8](repeating: level, count: 768)) <= 3, "\(right) \(bottom)")
            let scaled = try ImageDecoder().decode(file, box: box, for: Image.Size(width: 4, height: 4))
            #expect(scaled.size == Image.Size(width: 8, height: 8))
            #expect(worst(scaled.pixels, [UInt8](repeating: level, count: 192)) <= 3, "\(right) \(bottom)")
        }
    }

    @Test("a 16-bit thermal image is scaled by what the box shows, as a crop of its own would be")
    func thermal() throws {
        var values = (0..<(20 * 10)).map { UInt16(20000 + $0 * 3) }
        values[0] = 65535
        let box = Image.Box(x: 5, y: 2, width: 10, height: 6)
        let cut = (2..<8).flatMap { row in values[(row * 20 + 5)..<(row * 20 + 15)] }
        let frame = try PNGEncoder.encode(grey: values, width: 20, height: 10)
        let crop = try PNGEncoder.encode(grey: cut, width: 10, height: 6)
        let shown = try ImageDecoder().decode(frame, box: box)
        #expect(try shown == ImageDecoder().decode(crop))
        #expect(shown.pixels.max() == 255 && shown.pixels.min() == 0)
        let fixed = ImageDecoder(thermalRange: 19000...30000)
        #expect(try fixed.decode(frame, box: box).pixels == Self.sliced(fixed.decode(frame), box))
    }

    @Test("a JPEG is decoded at the part that the box's size allows, not the image's, and cut there")
    func scaled() throws {
        let (file, decoder) = (try ScaledDecodingTests.jpeg(1600, 1200), ImageDecoder())
        let box = Image.Box(x: 400, y: 304, width: 800, height: 600)
        let target = Image.Size(width: 100, height: 75)
        let image = try decoder.decode(file, box: box, for: target)
        #expect(image.size == Image.Size(width: 200, height: 150))
        let quarter = try decoder.decode(file, for: Image.Size(width: 200, height: 150))
        #expect(quarter.size == Image.Size(width: 400, height: 300))
        #expect(image.pixels == Self.sliced(quarter, Image.Box(x: 100, y: 76, width: 200, height: 150)))
        // The whole image would allow an eighth, this box nothing.
        let small = Image.Box(x: 777, y: 555, width: 399, height: 299)
        #expect(try decoder.decode(file, box: small, for: target) == decoder.decode(file, box: small))
    }

    @Test("a box between pixels of the decoded part shows what one with its edges at the nearest pixels shows")
    func between() throws {
        let (file, decoder) = (try ScaledDecodingTests.jpeg(1600, 1200), ImageDecoder())
        let target = Image.Size(width: 48, height: 48)
        for offset in 1..<8 {
            let box = Image.Box(x: 400 + offset, y: 296 + 3 * offset, width: 800 + offset, height: 803 - offset)
            let edges = [box.x, box.y, box.x + box.width, box.y + box.height].map { ($0 + 4) / 8 * 8 }
            let near = Image.Box(x: edges[0], y: edges[1], width: edges[2] - edges[0], height: edges[3] - edges[1])
            let image = try decoder.decode(file, box: box, for: target)
            #expect(image.size == Image.Size(width: near.width / 8, height: near.height / 8))
            let shown = [try decoder.decode(file, box: near), image].map {
                $0.resized(width: target.width, height: target.height, interpolation: .bilinear).pixels
            }
            let errors = zip(shown[0], shown[1]).map { abs(Double($0) - Double($1)) }
            #expect(errors.reduce(0, +) / Double(errors.count) < 0.5, "levels of 255, offset \(offset)")
        }
    }

    @Test(
        "a box that is not in the upright image is refused by its header, with its size",
        arguments: [
            [-1, 0, 4, 4], [0, -1, 4, 4], [0, 0, 0, 4], [0, 0, 4, 0], [0, 0, 33, 4], [0, 0, 4, 49], [32, 0, 1, 1],
            [0, 48, 1, 1], [31, 47, 2, 1], [1, 1, .max, 1], [1, 1, 1, .max], [.max, .max, .max, .max], [0, 0, 48, 32],
        ])
    func outside(numbers: [Int]) throws {
        let box = Image.Box(x: numbers[0], y: numbers[1], width: numbers[2], height: numbers[3])
        let grey = Image(width: 48, height: 32, channels: 1, pixels: [UInt8](repeating: 9, count: 48 * 32))
        let turned = ScaledDecodingTests.jpeg(try JPEGEncoder.encode(grey, quality: 90), orientation: 6)
        let upright = Image(width: 32, height: 48, channels: 1, pixels: grey.pixels)
        // Cut off: nothing but the header has been looked at.
        for file in [turned.dropLast(20), try PNGEncoder.encode(upright).dropLast(20)] {
            #expect(throws: ImagingError.outside(box: box, Image.Size(width: 32, height: 48))) {
                try ImageDecoder().decode(Data(file), box: box)
            }
            #expect(try ImageDecoder().size(of: Data(file)) == upright.size)
        }
        #expect("\(ImagingError.outside(box: box, upright.size))".contains("32 × 48 pixels, found [\(box.x), "))
    }
}
