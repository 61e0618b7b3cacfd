import CImageCodecs
import Foundation

/// Decodes JPEG and PNG, told apart by their bytes, under limits.
public struct ImageDecoder: Sendable {
    /// Checked before memory is taken.
    public var limits: ImageLimits
    /// The 16-bit values that become 0 and 255 in a thermal image; nil takes the image's own 0.1 and 99.9 percentiles.
    public var thermalRange: ClosedRange<UInt16>?

    /// Makes a decoder.
    public init(limits: ImageLimits = ImageLimits(), thermalRange: ClosedRange<UInt16>? = nil) {
        self.limits = limits
        self.thermalRange = thermalRange
    }

    /// Decodes an image to three channels, upright.
    ///
    /// JPEG: grey, YCbCr, CMYK and YCCK, with EXIF orientation applied. PNG: all kinds; alpha is dropped, grey is
    /// replicated, 16-bit grey is scaled by `thermalRange`. O(pixels).
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - target: what the image will be resized to. A JPEG of at least four times its columns and rows is then decoded at
    ///     a half, a quarter or an eighth of its own, if these are whole pixels and twice the target or more: faster, in
    ///     less memory, and not exactly what resizing the whole image gives. nil decodes all of it.
    ///   - budget: when decoding is given up before its end.
    /// - Throws: `ImagingError`; limits judge the whole image.
    public func decode(
        _ bytes: Data, for target: Image.Size? = nil, within budget: DecodingBudget = .unlimited
    ) throws(ImagingError) -> Image {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= limits.bytes else { throw .tooManyBytes(limit: limits.bytes, found: bytes.count) }
        try budget.check()
        let contents = [UInt8](bytes)
        if contents.starts(with: [0xFF, 0xD8]) { return try decodeJPEG(contents, for: target, within: budget) }
        if contents.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return try decodePNG(contents, within: budget) }
        let start = contents.prefix(4).map { String(format: "%02x", $0) }.joined(separator: " ")
        throw .unrecognised(start: start)
    }

    private func decodeJPEG(
        _ bytes: [UInt8], for target: Image.Size?, within budget: DecodingBudget
    ) throws(ImagingError) -> Image {
        let info = try header(bytes, format: "JPEG", cjpeg_header)
        let orientation = EXIF.orientation(ofJPEG: bytes)
        let whole = Image.Size(width: Int(info.width), height: Int(info.height))
        let scale = JPEGScale(of: whole, for: target.map { EXIF.isTurned(orientation) ? $0.turned : $0 })
        let size = scale.applied(to: whole)
        var pixels = [UInt8](repeating: 0, count: size.width * size.height * Int(info.channels))
        let count = pixels.count
        try Codec.decode("JPEG", passes: limits.passes, within: budget) {
            cjpeg_decode(bytes, bytes.count, Int32(scale.eighths), &pixels, count, $0, $1)
        }
        if info.channels == 4 { pixels = Self.rgb(cmyk: pixels, isInverted: info.inverted != 0) }
        try budget.check()
        let image = Image(
            width: size.width, height: size.height, channels: info.channels == 1 ? 1 : 3, pixels: pixels)
        return image.oriented(orientation).replicatedToRGB()
    }

    private func decodePNG(_ bytes: [UInt8], within budget: DecodingBudget) throws(ImagingError) -> Image {
        let info = try header(bytes, format: "PNG", cpng_header)
        let (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
        let count = width * height * channels
        if info.depth == 16 {
            var values = [UInt16](repeating: 0, count: count)
            try Codec.decode("PNG", passes: limits.passes, within: budget) {
                cpng_decode(bytes, bytes.count, &values, count * 2, $0, $1)
            }
            let pixels = ThermalScaling.scaled(values, range: thermalRange)
            return Image(width: width, height: height, channels: 1, pixels: pixels).replicatedToRGB()
        }
        var pixels = [UInt8](repeating: 0, count: count)
        try Codec.decode("PNG", passes: limits.passes, within: budget) {
            cpng_decode(bytes, bytes.count, &pixels, count, $0, $1)
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels).replicatedToRGB()
    }

    /// Reads a header and checks what it declares.
    private func header(
        _ bytes: [UInt8], format: String,
        _ read: (UnsafePointer<UInt8>, Int, UnsafeMutablePointer<cimage_info>, UnsafeMutablePointer<CChar>) ->
            cimage_status
    ) throws(ImagingError) -> cimage_info {
        var info = cimage_info()
        try Codec.readHeader(format) { read(bytes, bytes.count, &info, $0) }
        try limits.check(width: Int(info.width), height: Int(info.height))
        return info
    }

    /// CMYK to RGB as light through inks: each colour is (255 - ink)·(255 - black)/255, rounded.
    private static func rgb(cmyk: [UInt8], isInverted: Bool) -> [UInt8] {
        let ink = { (value: UInt8) in Int(isInverted ? 255 - value : value) }
        var result = [UInt8]()
        result.reserveCapacity(cmyk.count / 4 * 3)
        for at in stride(from: 0, to: cmyk.count, by: 4) {
            let light = 255 - ink(cmyk[at + 3])
            for c in 0..<3 {
                let product = ink(cmyk[at + c]) * light + 128
                result.append(UInt8(max(light - ((product >> 8) + product) >> 8, 0)))
            }
        }
        return result
    }
}

/// The part of a JPEG's size that it is decoded at. libjpeg then computes fewer pixels of each block of 8 × 8, with its
/// vector code for these sizes only: three eighths take longer than a half, five or more longer than all.
struct JPEGScale {
    /// How many times the target's columns and rows a decoded image has at least: so every target pixel is still an average
    /// of two by two or more, taken by the filter that the model was trained with. Pillow's `thumbnail` takes two as well.
    private static let margin = 2

    /// 1, 2, 4 or 8 eighths.
    let eighths: Int

    /// The least of them that the target allows; all of the image without a target, or if a part of it would not be whole
    /// pixels: libjpeg would make up the rest of the last one, and the image would be moved.
    init(of image: Image.Size, for target: Image.Size?) {
        let allowed = [1, 2, 4].first { part in
            guard let target else { return false }
            let isWhole = (image.width * part).isMultiple(of: 8) && (image.height * part).isMultiple(of: 8)
            return isWhole && image.width * part >= Self.margin * target.width * 8
                && image.height * part >= Self.margin * target.height * 8
        }
        eighths = allowed ?? 8
    }

    /// The decoded image's size.
    func applied(to image: Image.Size) -> Image.Size {
        Image.Size(width: image.width * eighths / 8, height: image.height * eighths / 8)
    }
}

/// When a decoding is given up: asked between rows of pixels, so that neither an image that was made to be slow nor a
/// client that left holds a thread.
public struct DecodingBudget: Sendable {
    /// Neither a deadline nor anyone who could leave.
    public static let unlimited = DecodingBudget()

    private let deadline: ContinuousClock.Instant?
    private let isCancelled: @Sendable () -> Bool

    /// Makes a budget.
    ///
    /// - Parameters:
    ///   - deadline: when decoding ends with `ImagingError.timedOut`; nil for never.
    ///   - isCancelled: whether to end with `ImagingError.cancelled`. Called on the decoding thread, some thousand times for
    ///     a large image.
    public init(deadline: ContinuousClock.Instant? = nil, isCancelled: @escaping @Sendable () -> Bool = { false }) {
        self.deadline = deadline
        self.isCancelled = isCancelled
    }

    /// Throws `ImagingError.cancelled` or `.timedOut` if the decoding is over.
    public func check() throws(ImagingError) {
        if isCancelled() { throw .cancelled }
        if let deadline, ContinuousClock.now >= deadline { throw .timedOut }
    }
}
