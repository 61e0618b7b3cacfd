import Foundation

/// A PNG file put together chunk by chunk (ISO/IEC 15948), of what no encoder writes.
struct PNGFile {
    /// The colour types: grey, RGB, palette.
    enum Kind: UInt8 { case grey = 0, rgb = 2, palette = 3 }

    private(set) var bytes = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

    init(width: Int, height: Int, depth: UInt8 = 8, kind: Kind = .grey, isInterlaced: Bool = false) {
        add("IHDR", bigEndian(width) + bigEndian(height) + [depth, kind.rawValue, 0, 0, isInterlaced ? 1 : 0])
    }

    mutating func add(_ name: String, _ contents: [UInt8]) {
        let checked = Array(name.utf8) + contents
        bytes += bigEndian(contents.count) + checked + bigEndian(Int(Self.crc32(checked)))
    }

    /// The file with its end.
    var finished: Data {
        var file = self
        file.add("IEND", [])
        return file.bytes
    }

    /// The checksum of a chunk (ISO 3309).
    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes { crc = crcs[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
        return ~crc
    }

    private static let crcs: [UInt32] = (0..<256).map { value in
        var crc = UInt32(value)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
        return crc
    }
}

/// Streams in zlib's format (RFC 1950, 1951).
enum Zlib {
    /// The bytes as they are, in stored blocks.
    static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        for start in stride(from: 0, to: bytes.count, by: 65535) {
            let block = bytes[start..<min(start + 65535, bytes.count)]
            let (low, high) = (UInt8(block.count & 255), UInt8(block.count >> 8))
            stream += [start + 65535 >= bytes.count ? 1 : 0, low, high, ~low, ~high] + block
        }
        var (a, b) = (1, 0)
        for byte in bytes {
            a = (a + Int(byte)) % 65521
            b = (b + a) % 65521
        }
        return stream + bigEndian(b << 16 | a)
    }

    /// Zeros, 258 to each 13 bits of fixed Huffman codes; of a whole number of these after the first, in blocks that go on for
    /// ever: without an end or a checksum.
    static func zeros(atLeast count: Int) -> [UInt8] {
        var bits = Bits()
        bits.append(0b010, 3)  // Not the last block; fixed codes, from the low bit.
        bits.append(0b0000_1100, 8)  // The literal 0, its code 00110000 from the high bit.
        for _ in 0..<((count + 257) / 258) {
            bits.append(0b1010_0011, 8)  // The length 258: code 11000101.
            bits.append(0, 5)  // The distance 1.
        }
        return [0x78, 0x01] + bits.bytes
    }

    private struct Bits {
        var bytes: [UInt8] = []
        private var pending = 0, count = 0

        mutating func append(_ value: Int, _ width: Int) {
            pending |= value << count
            count += width
            while count >= 8 {
                bytes.append(UInt8(pending & 255))
                pending >>= 8
                count -= 8
            }
        }
    }
}

/// Four bytes, the highest first.
func bigEndian(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
