extension Image {
    /// A rectangle of whole pixels of an image.
    public struct Box: Sendable, Equatable {
        /// Its leftmost column and its topmost row, from 0.
        public var x: Int, y: Int
        /// Columns and rows, in pixels.
        public var width: Int, height: Int

        /// Makes a box as given.
        public init(x: Int, y: Int, width: Int, height: Int) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }

        /// All of an image.
        init(all size: Size) { self.init(x: 0, y: 0, width: size.width, height: size.height) }

        /// Its columns and rows.
        var size: Size { Size(width: width, height: height) }

        /// Throws `ImagingError.outside` unless it has a pixel, and all of them in an image of this size.
        public func check(within size: Size) throws(ImagingError) {
            // No sum: numbers of a request may be as large as an integer can be.
            guard x >= 0 && y >= 0 && width > 0 && height > 0, x < size.width && y < size.height,
                width <= size.width - x && height <= size.height - y
            else { throw .outside(box: self, size) }
        }
    }

    /// The part in a box, which must lie inside. O(its pixels); nothing for all of the image.
    public func cropped(to box: Box) -> Image {
        Image(
            width: box.width, height: box.height, channels: channels,
            pixels: box.cut(of: pixels, width: width, channels: channels))
    }
}

extension Image.Box {
    /// What lies inside of the values of an image with rows of `width` pixels.
    func cut<Value>(of values: [Value], width: Int, channels: Int) -> [Value] {
        let (row, run) = (width * channels, self.width * channels)
        if run * height == values.count { return values }
        precondition(
            x >= 0 && y >= 0 && x + self.width <= width && (y + height) * row <= values.count,
            "a crop outside the image")
        var cut: [Value] = []
        cut.reserveCapacity(run * height)
        for start in (y..<(y + height)).map({ $0 * row + x * channels }) { cut += values[start..<(start + run)] }
        return cut
    }
}
