/// An image of 8 bits a channel: rows top to bottom, channels interleaved.
public struct Image: Sendable, Equatable {
    /// Columns and rows, in pixels.
    public let width: Int, height: Int
    /// 1 (grey) or 3 (RGB).
    public let channels: Int
    /// width·height·channels values.
    public var pixels: [UInt8]

    /// Makes an image from its values, of which there must be width·height·channels.
    public init(width: Int, height: Int, channels: Int, pixels: [UInt8]) {
        precondition(width > 0 && height > 0 && (channels == 1 || channels == 3), "\(width)×\(height)×\(channels)")
        precondition(
            pixels.count == width * height * channels, "\(pixels.count) values of \(width)×\(height)×\(channels)")
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// Columns and rows.
    public struct Size: Sendable, Equatable {
        /// In pixels.
        public var width: Int, height: Int

        /// Makes a size.
        public init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

        /// Of an image on its side.
        var turned: Size { Size(width: height, height: width) }
    }

    /// The image's columns and rows.
    public var size: Size { Size(width: width, height: height) }

    /// Three equal channels for a grey image, the image itself otherwise.
    public func replicatedToRGB() -> Image {
        guard channels == 1 else { return self }
        var rgb = [UInt8]()
        rgb.reserveCapacity(pixels.count * 3)
        for value in pixels {
            rgb.append(value)
            rgb.append(value)
            rgb.append(value)
        }
        return Image(width: width, height: height, channels: 3, pixels: rgb)
    }

    /// Left and right exchanged.
    public func flippedHorizontally() -> Image {
        mapped(width: width, height: height) { x, y in (width - 1 - x, y) }
    }

    /// An image whose pixel (x, y) is this one's at `source(x, y)`.
    func mapped(width: Int, height: Int, from source: (Int, Int) -> (x: Int, y: Int)) -> Image {
        var result = pixels
        var target = 0
        for y in 0..<height {
            for x in 0..<width {
                let from = source(x, y)
                let at = (from.y * self.width + from.x) * channels
                for c in 0..<channels { result[target + c] = pixels[at + c] }
                target += channels
            }
        }
        return Image(width: width, height: height, channels: channels, pixels: result)
    }
}

extension Image {
    /// The image moved right by `x` and down by `y` pixels, its edge repeated where nothing is left.
    public func shifted(x: Int, y: Int) -> Image {
        mapped(width: width, height: height) { column, row in
            (min(max(column - x, 0), width - 1), min(max(row - y, 0), height - 1))
        }
    }
}
