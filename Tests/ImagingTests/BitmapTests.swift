import Foundation
import Imaging
import Testing

@Suite("Bitmaps")
struct BitmapTests {
    /// A header of 40 bytes, colours and pixels.
    private func bitmap(
        width: Int32 = 3, height: Int32 = 2, bits: Int = 24, compression: Int = 0, colours: [UInt8] = [],
        pixels: [UInt8]
    ) -> Data {
        let bytes = { (value: Int, count: Int) in (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
        let head = [
            (0, 4), (0, 4), (54 + colours.count, 4), (40, 4), (Int(width), 4), (Int(height), 4), (1, 2), (bits, 2),
            (compression, 4), (0, 4), (0, 4), (0, 4), (colours.count / 4, 4), (0, 4),
        ]
        return Data("BM".utf8) + Data(head.flatMap { bytes($0.0, $0.1) } + colours + pixels)
    }

    /// Red, green, blue; then black, grey, white.
    private let picture: [UInt8] = [255, 0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 128, 128, 128, 255, 255, 255]
    private let rows: [[UInt8]] = [
        [0, 0, 255, 0, 255, 0, 255, 0, 0, 9, 9, 9], [0, 0, 0, 128, 128, 128, 255, 255, 255, 9, 9, 9],
    ]

    @Test("rows come from the bottom, or from the top where the height is negative; each has whole fours of bytes")
    func rowOrder() throws {
        let (up, down) = (bitmap(pixels: rows[1] + rows[0]), bitmap(height: -2, pixels: rows[0] + rows[1]))
        for bytes in [up, down] {
            let image = try BMPDecoder.decode(bytes)
            #expect(image.width == 3 && image.height == 2 && image.pixels == picture)
            #expect(BMPDecoder.isBMP(bytes))
            #expect(try BMPDecoder.size(of: bytes.prefix(54)) == image.size)
        }
    }

    @Test("8 bits a pixel have a palette, 32 bits a byte that is not looked at")
    func depths() throws {
        let colours: [UInt8] = [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0]
        let indexed = try BMPDecoder.decode(
            bitmap(height: 1, bits: 8, colours: colours, pixels: [0, 1, 2, 0]))
        #expect(indexed.pixels == Array(picture.prefix(9)))
        let wide = try BMPDecoder.decode(
            bitmap(height: 1, bits: 32, pixels: [0, 0, 255, 7, 0, 255, 0, 7, 255, 0, 0, 7]))
        #expect(wide.pixels == Array(picture.prefix(9)))
    }

    @Test("what is cut, compressed, empty or too large is refused")
    func refused() {
        let whole = bitmap(pixels: rows[1] + rows[0])
        let cases: [(Data, String)] = [
            (whole.dropLast(), "expected 78 bytes, found 77"), (whole.prefix(50), "a header of 54 bytes, found 50"),
            (bitmap(bits: 8, compression: 1, pixels: []), "without compression, found 8, 1"),
            (bitmap(bits: 4, pixels: []), "expected 8, 24 or 32 bits"), (bitmap(width: 0, pixels: []), "0 × 2"),
            (bitmap(width: -3, pixels: []), "-3 × 2"), (bitmap(height: .min, pixels: []), "exceeds the limit"),
            (bitmap(height: 1, bits: 8, colours: [0, 0, 0, 0], pixels: [0, 1, 0, 0]), "a colour that there is not"),
        ]
        for (bytes, message) in cases {
            let error = #expect(throws: ImagingError.self) { try BMPDecoder.decode(bytes) }
            #expect(error.map { "\($0)".contains(message) } == true, "\(message): \(error.map { "\($0)" } ?? "")")
        }
    }

    @Test("a server takes none")
    func server() {
        #expect(throws: ImagingError.self) { try ImageDecoder().decode(bitmap(pixels: rows[1] + rows[0])) }
    }
}
