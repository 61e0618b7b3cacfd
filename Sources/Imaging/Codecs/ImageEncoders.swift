import CImageCodecs
import Foundation

/// Writes JPEG files.
public enum JPEGEncoder {
    /// Encodes a grey or RGB image.
    ///
    /// - Parameters:
    ///   - quality: 1 to 100.
    ///   - subsampled: halve the colour planes (4:2:0), as cameras do.
    /// - Throws: `ImagingError.encoding`.
    public static func encode(_ image: Image, quality: Int, subsampled: Bool = true) throws(ImagingError) -> Data {
        guard (1...100).contains(quality) else { throw .encoding("quality \(quality), expected 1 to 100") }
        return try Codec.encode { bytes, count, message in
            cjpeg_encode(
                image.pixels, Int32(image.width), Int32(image.height), Int32(image.channels), Int32(quality),
                subsampled ? 1 : 0, bytes, count, message)
        }
    }
}

/// Writes PNG files.
public enum PNGEncoder {
    /// Encodes a grey or RGB image of 8 bits. Throws `ImagingError.encoding`.
    public static func encode(_ image: Image) throws(ImagingError) -> Data {
        try Codec.encode { bytes, count, message in
            cpng_encode(
                image.pixels, Int32(image.width), Int32(image.height), Int32(image.channels), 8, bytes, count, message)
        }
    }

    /// Encodes width·height grey values of 16 bits, as thermal cameras give them. Throws `ImagingError.encoding`.
    public static func encode(grey values: [UInt16], width: Int, height: Int) throws(ImagingError) -> Data {
        guard values.count == width * height, width > 0, height > 0 else {
            throw .encoding("\(values.count) values, expected \(width) × \(height)")
        }
        return try Codec.encode { bytes, count, message in
            cpng_encode(values, Int32(width), Int32(height), 1, 16, bytes, count, message)
        }
    }
}
