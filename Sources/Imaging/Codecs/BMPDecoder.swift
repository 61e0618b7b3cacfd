import Foundation

/// Decodes uncompressed Windows bitmaps of 8, 24 or 32 bits a pixel, which RegDB is published as. `ImageDecoder`, and so a
/// server, does not take them.
public enum BMPDecoder {
    /// What a header says.
    private struct Header {
        let size: Image.Size
        let isTopDown: Bool
        let bits: Int
        /// Where the pixels begin.
        let offset: Int
        /// Where the colours of 8-bit pixels are, four bytes each.
        let palette: Range<Int>
        /// Bytes of a row, of which there are whole fours.
        var stride: Int { (size.width * bits + 31) / 32 * 4 }
    }

    /// Whether bytes begin as a bitmap does.
    public static func isBMP(_ bytes: Data) -> Bool { bytes.starts(with: [0x42, 0x4D]) }

    /// Columns and rows, by the header alone. Throws `ImagingError`.
    public static func size(of bytes: Data, _ limits: ImageLimits = ImageLimits()) throws(ImagingError) -> Image.Size {
        try header([UInt8](bytes.prefix(64)), limits).size
    }

    /// Decodes a bitmap to three channels, rows from the top. O(pixels).
    ///
    /// - Throws: `ImagingError`, also for a compressed bitmap.
    public static func decode(_ bytes: Data, _ limits: ImageLimits = ImageLimits()) throws(ImagingError) -> Image {
        guard bytes.count <= limits.bytes else { throw .tooManyBytes(limit: limits.bytes, found: bytes.count) }
        let contents = [UInt8](bytes)
        let header = try header(contents, limits)
        let end = header.offset + header.stride * header.size.height
        guard contents.count >= end else {
            throw corrupt("expected \(end) bytes, found \(contents.count)")
        }
        guard header.palette.upperBound <= header.offset else { throw corrupt("colours that go into the pixels") }
        var pixels: [UInt8] = []
        pixels.reserveCapacity(header.size.width * header.size.height * 3)
        for row in 0..<header.size.height {
            let stored = header.isTopDown ? row : header.size.height - 1 - row
            for column in 0..<header.size.width {
                var at = header.offset + stored * header.stride + column * header.bits / 8
                if header.bits == 8 {
                    at = header.palette.lowerBound + 4 * Int(contents[at])
                    guard at < header.palette.upperBound else { throw corrupt("a colour that there is not") }
                }
                pixels += [contents[at + 2], contents[at + 1], contents[at]]
            }
        }
        return Image(width: header.size.width, height: header.size.height, channels: 3, pixels: pixels)
    }

    private static func header(_ bytes: [UInt8], _ limits: ImageLimits) throws(ImagingError) -> Header {
        guard bytes.count >= 54 else { throw corrupt("expected a header of 54 bytes, found \(bytes.count)") }
        let number = { (at: Int) in (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
        let signed = { (at: Int) in Int(Int32(truncatingIfNeeded: number(at))) }
        let (infoBytes, offset, bits) = (number(14), number(10), number(28) & 0xFFFF)
        guard infoBytes >= 40, offset >= 14 + infoBytes else { throw corrupt("a header of \(infoBytes) bytes") }
        guard [8, 24, 32].contains(bits), number(30) == 0 || (bits == 32 && number(30) == 3) else {
            throw corrupt("expected 8, 24 or 32 bits a pixel without compression, found \(bits), \(number(30))")
        }
        let (width, height) = (signed(18), signed(22))
        guard width > 0, height != 0 else { throw corrupt("an image of \(width) × \(height) pixels") }
        try limits.check(width: width, height: abs(height))
        let colours = bits == 8 ? (number(46) == 0 ? 256 : min(number(46), 256)) : 0
        return Header(
            size: Image.Size(width: width, height: abs(height)), isTopDown: height < 0, bits: bits, offset: offset,
            palette: 14 + infoBytes..<14 + infoBytes + 4 * colours)
    }

    private static func corrupt(_ reason: String) -> ImagingError { .corrupt(format: "BMP", reason: reason) }
}
