/// RGB pixels that rectangles and images are put on.
package struct Canvas {
    /// Columns.
    package let width: Int
    /// As an `Image` has them.
    package private(set) var pixels: [UInt8]

    /// A canvas of one grey.
    package init(width: Int, height: Int, background: UInt8) {
        self.width = width
        pixels = [UInt8](repeating: background, count: width * height * 3)
    }

    /// Fills a rectangle within the canvas.
    package mutating func fill(x: Int, y: Int, width: Int, height: Int, _ colour: [UInt8]) {
        for row in y..<(y + height) {
            for column in x..<(x + width) {
                let at = (row * self.width + column) * 3
                pixels.replaceSubrange(at..<(at + 3), with: colour)
            }
        }
    }

    /// Puts an RGB image that fits at a place.
    package mutating func place(_ image: Image, x: Int, y: Int) {
        let run = image.width * 3
        for row in 0..<image.height {
            let at = ((y + row) * width + x) * 3
            pixels.replaceSubrange(at..<(at + run), with: image.pixels[(row * run)..<((row + 1) * run)])
        }
    }
}
