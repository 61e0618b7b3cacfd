import Foundation
import Imaging

/// A frame of patches, and what a box shows of it as a file of its own; both without loss.
package struct Frame: Sendable {
    /// A PNG of 64 × 48 pixels.
    package let file: Data
    /// x, y, width and height.
    package let box = [5, 9, 24, 16]
    /// A PNG of what is in the box.
    package let crop: Data

    /// A frame with patches of its own.
    package init(_ seed: Int) throws {
        file = try Self.picture(seed, columns: 0..<64, rows: 0..<48)
        crop = try Self.picture(seed, columns: 5..<29, rows: 9..<25)
    }

    private static func picture(_ seed: Int, columns: Range<Int>, rows: Range<Int>) throws -> Data {
        let pixels = rows.flatMap { y in columns.map { x in level(seed, x, y) } }
        return try PNGEncoder.encode(Image(width: columns.count, height: rows.count, channels: 1, pixels: pixels))
    }

    /// Of patches of five by three pixels, each with a gradient.
    private static func level(_ seed: Int, _ x: Int, _ y: Int) -> UInt8 {
        let patch = UInt64(truncatingIfNeeded: seed &* 1_000_003 &+ x / 5 &* 1009 &+ y / 3)
        let mixed = (patch &* 2_862_933_555_777_941_757 &+ 3_037_000_493) &* 6_364_136_223_846_793_005
        return UInt8(truncatingIfNeeded: mixed >> 40) / 2 + UInt8(x + y)
    }
}
