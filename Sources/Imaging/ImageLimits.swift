/// How large an image may be; checked before memory is taken for its pixels.
public struct ImageLimits: Sendable, Equatable {
    /// Bytes of the file.
    public var bytes: Int
    /// Columns times rows.
    public var pixels: Int

    /// 20 MiB and 40 million pixels, unless told otherwise.
    public init(bytes: Int = 20 << 20, pixels: Int = 40_000_000) {
        self.bytes = bytes
        self.pixels = pixels
    }
}
