extension Image {
    /// The image at another size, as Pillow's `Image.resize` computes it: antialiased, columns first, then rows, rounded
    /// to 8 bits between the two. O(target pixels · filter width).
    public func resized(width: Int, height: Int, interpolation: Interpolation) -> Image {
        precondition(width > 0 && height > 0, "resizing to \(width)×\(height)")
        let vertical = ResamplingWeights(from: self.height, to: height, interpolation)
        // Rows that no target row needs are not resized.
        let needed =
            (vertical.first.first ?? 0)..<zip(vertical.first, vertical.counts).reduce(0) { max($0, $1.0 + $1.1) }
        let wide =
            width == self.width
            ? self : resizedHorizontally(ResamplingWeights(from: self.width, to: width, interpolation), needed)
        return height == self.height ? wide : wide.resizedVertically(vertical)
    }

    private func resizedHorizontally(_ taps: ResamplingWeights, _ rows: Range<Int>) -> Image {
        let width = taps.first.count
        let result = [UInt8](unsafeUninitializedCapacity: width * height * channels) { target, count in
            target.initialize(repeating: 0)
            pixels.withUnsafeBufferPointer { source in
                taps.weights.withUnsafeBufferPointer { weights in
                    for y in rows {
                        for x in 0..<width {
                            let from = (y * self.width + taps.first[x]) * channels
                            let to = (y * width + x) * channels
                            guard channels == 3 else {
                                target[to] = Self.weighted(
                                    source, from: from, step: 1, taps.counts[x], weights, x * taps.stride)
                                continue
                            }
                            let sum = Self.weighted(source, from: from, taps.counts[x], weights, x * taps.stride)
                            (target[to], target[to + 1], target[to + 2]) = sum
                        }
                    }
                }
            }
            count = target.count
        }
        return Image(width: width, height: height, channels: channels, pixels: result)
    }

    private func resizedVertically(_ taps: ResamplingWeights) -> Image {
        let height = taps.first.count
        let row = width * channels
        let result = [UInt8](unsafeUninitializedCapacity: row * height) { target, count in
            pixels.withUnsafeBufferPointer { source in
                taps.weights.withUnsafeBufferPointer { weights in
                    for y in 0..<height {
                        for i in 0..<row {
                            target[y * row + i] = Self.weighted(
                                source, from: taps.first[y] * row + i, step: row, taps.counts[y], weights,
                                y * taps.stride)
                        }
                    }
                }
            }
            count = row * height
        }
        return Image(width: width, height: height, channels: channels, pixels: result)
    }

    /// As below, of three neighbouring channels at once: each weight is read once.
    @inline(__always)
    private static func weighted(
        _ source: UnsafeBufferPointer<UInt8>, from: Int, _ count: Int, _ weights: UnsafeBufferPointer<Int32>,
        _ weight: Int
    ) -> (UInt8, UInt8, UInt8) {
        let half: Int32 = 1 << (ResamplingWeights.precision - 1)
        var (a, b, c) = (half, half, half)
        var at = from
        for tap in 0..<count {
            let weight = weights[weight + tap]
            a &+= Int32(source[at]) &* weight
            b &+= Int32(source[at + 1]) &* weight
            c &+= Int32(source[at + 2]) &* weight
            at += 3
        }
        return (rounded(a), rounded(b), rounded(c))
    }

    /// A weighted sum of `count` source values, `step` apart, rounded and clamped to 8 bits.
    @inline(__always)
    private static func weighted(
        _ source: UnsafeBufferPointer<UInt8>, from: Int, step: Int, _ count: Int,
        _ weights: UnsafeBufferPointer<Int32>, _ weight: Int
    ) -> UInt8 {
        var sum: Int32 = 1 << (ResamplingWeights.precision - 1)
        for tap in 0..<count { sum &+= Int32(source[from + tap * step]) &* weights[weight + tap] }
        return rounded(sum)
    }

    @inline(__always)
    private static func rounded(_ sum: Int32) -> UInt8 {
        UInt8(min(max(sum >> Int32(ResamplingWeights.precision), 0), 255))
    }
}
