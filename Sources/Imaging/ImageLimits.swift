/// What an image may be and what its decoding may take; checked before memory is taken for its pixels.
public struct ImageLimits: Sendable, Equatable {
    /// Bytes of the file.
    public var bytes: Int
    /// Columns times rows.
    public var pixels: Int
    /// Columns, and rows: a decoder does something for each row, however short.
    public var side: Int
    /// How many times over its blocks of pixels a JPEG's scans may go. A progressive JPEG of a usual encoder goes five to
    /// eight times; a scan of twelve bytes can go over all of a large image.
    public var passes: Int

    /// 20 MiB, 40 million pixels, 65 535 a side (what JPEG has room for) and 32 passes, unless told otherwise.
    public init(bytes: Int = 20 << 20, pixels: Int = 40_000_000, side: Int = 65_535, passes: Int = 32) {
        self.bytes = bytes
        self.pixels = pixels
        self.side = side
        self.passes = passes
    }

    /// Throws `ImagingError.tooLong` or `.tooManyPixels`.
    func check(width: Int, height: Int) throws(ImagingError) {
        guard width <= side && height <= side else { throw .tooLong(limit: side, width: width, height: height) }
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, product <= pixels else {
            throw .tooManyPixels(limit: pixels, width: width, height: height)
        }
    }
}
