import Imaging
import Inference
import Randomness
import Tensor

extension Augmentation {
    /// Applies what was drawn, but for noise: geometry, then colours, then what is erased.
    ///
    /// - Parameter fill: the level of each channel that erased pixels get unless the draw has another.
    public static func apply(_ draw: Draw, to image: Image, fill: [UInt8]) -> Image {
        var result = draw.flip ? image.flippedHorizontally() : image
        if draw.vertical == true { result.flipVertically() }
        if draw.shift != [0, 0] { result = result.shifted(x: draw.shift[0], y: draw.shift[1]) }
        if let crop = draw.crop { result.crop(x: crop[0], y: crop[1]) }
        if let part = draw.part {
            result = result.cropped(to: Image.Box(x: part[0], y: part[1], width: part[2], height: part[3]))
                .resized(width: image.width, height: image.height, interpolation: .bilinear)
        }
        if let factors = draw.jitter {
            result.jitter(brightness: factors[0], contrast: factors[1], saturation: factors[2])
        }
        if let channel = draw.channel { result.replaceChannels(by: channel) }
        if let grey = draw.grey {
            result.change(within: grey) { r, g, b in
                let luma = Image.luma(r, g, b)
                return (luma, luma, luma)
            }
        }
        if let erase = draw.erase {
            let level = draw.level.map { [$0, $0, $0] } ?? fill
            result.change(within: erase) { _, _, _ in (level[0], level[1], level[2]) }
        }
        return result
    }

    /// Puts noise where draws say so, into standardised images [B, H, W, 3], one draw an image. Each modality's is its own.
    package static func addNoise(_ draws: [Draw], to images: Tensor, _ modality: Modality) -> Tensor {
        let noisy = draws.enumerated().compactMap { row, draw in
            draw.noise.flatMap { noise in draw.erase.map { (row: row, seed: noise, rectangle: $0) } }
        }
        guard !noisy.isEmpty else { return images }
        let (height, width) = (images.shape[1], images.shape[2])
        let key = UInt64(Modality.allCases.firstIndex(of: modality) ?? 0)
        return images.withUnsafeScalars { scalars in
            Tensor(shape: images.shape) { elements in
                for index in elements.indices { elements[index] = scalars[index] }
                for (row, seed, rectangle) in noisy {
                    var generator = SplitMix64(seed: seed, stream: key)
                    for y in rectangle[1]..<(rectangle[1] + rectangle[3]) {
                        let start = ((row * height + y) * width + rectangle[0]) * 3
                        for index in start..<(start + rectangle[2] * 3) { elements[index] = generator.normal() }
                    }
                }
            }
        }
    }
}

extension Image {
    /// The brightness of a colour, as ITU-R 601 weighs it, in PIL's whole numbers.
    fileprivate static func luma(_ r: UInt8, _ g: UInt8, _ b: UInt8) -> UInt8 {
        let weighted: [Int] = [19595 * Int(r), 38470 * Int(g), 7471 * Int(b)]
        return UInt8((weighted[0] + weighted[1] + weighted[2] + 0x8000) >> 16)
    }

    /// Changes the pixels of a rectangle [x, y, width, height].
    fileprivate mutating func change(
        within rectangle: [Int], _ change: (UInt8, UInt8, UInt8) -> (UInt8, UInt8, UInt8)
    ) {
        for y in rectangle[1]..<(rectangle[1] + rectangle[3]) {
            for x in rectangle[0]..<(rectangle[0] + rectangle[2]) {
                let at = (y * width + x) * 3
                (pixels[at], pixels[at + 1], pixels[at + 2]) = change(pixels[at], pixels[at + 1], pixels[at + 2])
            }
        }
    }

    private mutating func changeAll(_ change: (UInt8, UInt8, UInt8) -> (UInt8, UInt8, UInt8)) {
        self.change(within: [0, 0, width, height], change)
    }

    /// Moves the image, with black where nothing is left: what a crop of the padded image shows.
    fileprivate mutating func crop(x: Int, y: Int) {
        let original = pixels
        for row in 0..<height {
            for column in 0..<width {
                let (fromX, fromY, at) = (column - x, row - y, (row * width + column) * 3)
                let isInside = (0..<width).contains(fromX) && (0..<height).contains(fromY)
                for c in 0..<3 { pixels[at + c] = isInside ? original[(fromY * width + fromX) * 3 + c] : 0 }
            }
        }
    }

    fileprivate mutating func flipVertically() {
        let row = width * 3
        let rows = stride(from: pixels.count - row, through: 0, by: -row)
        pixels = rows.flatMap { pixels[$0..<($0 + row)] }
    }

    fileprivate mutating func replaceChannels(by channel: Int) {
        changeAll { r, g, b in
            let level = channel == 3 ? Self.luma(r, g, b) : [r, g, b][channel]
            return (level, level, level)
        }
    }

    /// As PIL's `ImageEnhance` does, in this order.
    fileprivate mutating func jitter(brightness: Float, contrast: Float, saturation: Float) {
        changeAll { r, g, b in
            (Self.blend(0, r, brightness), Self.blend(0, g, brightness), Self.blend(0, b, brightness))
        }
        var sum = 0
        changeAll { r, g, b in
            sum += Int(Self.luma(r, g, b))
            return (r, g, b)
        }
        let mean = UInt8(Double(sum) / Double(width * height) + 0.5)
        changeAll { r, g, b in
            (Self.blend(mean, r, contrast), Self.blend(mean, g, contrast), Self.blend(mean, b, contrast))
        }
        changeAll { r, g, b in
            let luma = Self.luma(r, g, b)
            return (Self.blend(luma, r, saturation), Self.blend(luma, g, saturation), Self.blend(luma, b, saturation))
        }
    }

    private static func blend(_ a: UInt8, _ b: UInt8, _ factor: Float) -> UInt8 {
        UInt8(min(max(Float(a) + factor * (Float(b) - Float(a)), 0), 255))
    }
}
