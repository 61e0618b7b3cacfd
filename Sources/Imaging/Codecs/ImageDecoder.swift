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

    /// The same decoder, with a range that takes the place of its own unless it is nil.
    public func scaling(_ range: ClosedRange<UInt16>?) -> ImageDecoder {
        ImageDecoder(limits: limits, thermalRange: range ?? thermalRange)
    }

    /// Decodes an image, or what a box shows of it, to three channels, upright.
    ///
    /// JPEG: grey, YCbCr, CMYK and YCCK, with EXIF orientation applied. PNG: all kinds; alpha is dropped, grey is
    /// replicated, 16-bit grey is scaled by `thermalRange`, or by what the box alone shows. O(pixels).
    ///
    /// - Parameters:
    ///   - bytes: the file.
    ///   - box: what is wanted, in pixels of the upright image at its full size; nil for all of it.
    ///   - target: what the result will be resized to. A JPEG of which at least four times its columns and rows are wanted is then
    ///     decoded at a half, a quarter or an eighth of its size, if that is whole pixels and leaves twice the target or more
    ///     of the box: faster, in less memory, and not exactly what resizing the whole gives. An edge of the box is then moved
    ///     by half a decoded pixel at most, a quarter of one of the target. nil decodes at full size.
    ///   - budget: when decoding is given up before its end.
    /// - Throws: `ImagingError`; limits judge the whole image.
    public func decode(
        _ bytes: Data, box: Image.Box? = nil, for target: Image.Size? = nil,
        within budget: DecodingBudget = .unlimited
    ) throws(ImagingError) -> Image {
        let format = try format(bytes)
        try budget.check()
        let contents = [UInt8](bytes)
        switch format {
        case .jpeg: return try decodeJPEG(contents, box, for: target, within: budget)
        case .png: return try decodePNG(contents, box, within: budget)
        }
    }

    /// Columns and rows of an image once it is upright, by its header alone. Throws `ImagingError`.
    public func size(of bytes: Data) throws(ImagingError) -> Image.Size {
        let (format, contents) = (try format(bytes), [UInt8](bytes))
        switch format {
        case .jpeg:
            let info = try header(contents, format: "JPEG", cjpeg_header)
            return EXIF.isTurned(EXIF.orientation(ofJPEG: contents)) ? info.size.turned : info.size
        case .png: return try header(contents, format: "PNG", cpng_header).size
        }
    }

    private enum Format { case jpeg, png }

    private func format(_ bytes: Data) throws(ImagingError) -> Format {
        guard !bytes.isEmpty else { throw .empty }
        guard bytes.count <= limits.bytes else { throw .tooManyBytes(limit: limits.bytes, found: bytes.count) }
        if bytes.starts(with: [0xFF, 0xD8]) { return .jpeg }
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return .png }
        throw .unrecognised(start: bytes.prefix(4).map { String(format: "%02x", $0) }.joined(separator: " "))
    }

    private func decodeJPEG(
        _ bytes: [UInt8], _ box: Image.Box?, for target: Image.Size?, within budget: DecodingBudget
    ) throws(ImagingError) -> Image {
        let info = try header(bytes, format: "JPEG", cjpeg_header)
        let orientation = EXIF.orientation(ofJPEG: bytes)
        let stored = info.size
        let upright = EXIF.isTurned(orientation) ? stored.turned : stored
        let box = box ?? Image.Box(all: upright)
        try box.check(within: upright)
        let scale = JPEGScale(of: upright, showing: box.size, for: target)
        let size = scale.applied(to: stored)
        var pixels = [UInt8](repeating: 0, count: size.width * size.height * Int(info.channels))
        let count = pixels.count
        try Codec.decode("JPEG", passes: limits.passes, within: budget) {
            cjpeg_decode(bytes, bytes.count, Int32(scale.eighths), &pixels, count, $0, $1)
        }
        if info.channels == 4 { pixels = Self.rgb(cmyk: pixels, isInverted: info.inverted != 0) }
        try budget.check()
        let image = Image(
            width: size.width, height: size.height, channels: info.channels == 1 ? 1 : 3, pixels: pixels)
        return image.oriented(orientation).cropped(to: scale.applied(to: box)).replicatedToRGB()
    }

    private func decodePNG(
        _ bytes: [UInt8], _ box: Image.Box?, within budget: DecodingBudget
    ) throws(ImagingError) -> Image {
        let info = try header(bytes, format: "PNG", cpng_header)
        let (width, height, channels) = (Int(info.width), Int(info.height), Int(info.channels))
        let box = box ?? Image.Box(all: info.size)
        try box.check(within: info.size)
        let count = width * height * channels
        if info.depth == 16 {
            var values = [UInt16](repeating: 0, count: count)
            try Codec.decode("PNG", passes: limits.passes, within: budget) {
                cpng_decode(bytes, bytes.count, &values, count * 2, $0, $1)
            }
            // Cut first: what is hot elsewhere must not darken the box, and a crop that was sent as a file looks the same.
            let pixels = ThermalScaling.scaled(
                box.cut(of: values, width: width, channels: 1), range: thermalRange)
            return Image(width: box.width, height: box.height, channels: 1, pixels: pixels).replicatedToRGB()
        }
        var pixels = [UInt8](repeating: 0, count: count)
        try Codec.decode("PNG", passes: limits.passes, within: budget) {
            cpng_decode(bytes, bytes.count, &pixels, count, $0, $1)
        }
        return Image(width: width, height: height, channels: channels, pixels: pixels).cropped(to: box)
            .replicatedToRGB()
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

extension cimage_info {
    /// As the file has it.
    fileprivate var size: Image.Size { Image.Size(width: Int(width), height: Int(height)) }
}

/// The part of a JPEG's size that it is decoded at. libjpeg then computes fewer pixels of each block of 8 × 8, with its
/// vector code for these sizes only: three eighths take longer than a half, five or more longer than all.
struct JPEGScale {
    /// How many times the target's columns and rows a decoded image has at least: so every target pixel is still an average
    /// of two by two or more, taken by the filter that the model was trained with. Pillow's `thumbnail` takes two as well.
    private static let margin = 2

    /// 1, 2, 4 or 8 eighths.
    let eighths: Int

    /// The least of them that the target of a box of a size allows; all of the image without a target, or if a part of it
    /// would not be whole pixels: libjpeg would make up the rest of the last one, and the image would be moved.
    init(of image: Image.Size, showing box: Image.Size, for target: Image.Size?) {
        let allowed = [1, 2, 4].first { part in
            guard let target else { return false }
            let isWhole = (image.width * part).isMultiple(of: 8) && (image.height * part).isMultiple(of: 8)
            return isWhole && box.width * part >= Self.margin * target.width * 8
                && box.height * part >= Self.margin * target.height * 8
        }
        eighths = allowed ?? 8
    }

    /// The decoded image's size.
    func applied(to image: Image.Size) -> Image.Size {
        Image.Size(width: image.width * eighths / 8, height: image.height * eighths / 8)
    }

    /// The decoded pixels that show a box, its edges at the nearest ones.
    func applied(to box: Image.Box) -> Image.Box {
        let (left, top) = (nearest(box.x), nearest(box.y))
        return Image.Box(
            x: left, y: top, width: nearest(box.x + box.width) - left, height: nearest(box.y + box.height) - top)
    }

    private func nearest(_ edge: Int) -> Int { (edge * eighths + 4) / 8 }
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
