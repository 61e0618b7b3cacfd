/// The source pixels that make each target pixel along one axis, and their weights in fixed point.
///
/// The arithmetic is Pillow's (`Resample.c`), so that images are resized here as they were in training elsewhere: the
/// filter is widened when shrinking (antialiasing), and weights have 22 bits after the point.
struct ResamplingWeights {
    /// Bits after the point: 8 bits of value and 2 of headroom leave 22 of 32.
    static let precision = 32 - 8 - 2

    /// The first source index of each target index.
    let first: [Int]
    /// How many source pixels each target index has.
    let counts: [Int]
    /// `stride` weights a target index.
    let weights: [Int32]
    let stride: Int

    init(from source: Int, to target: Int, _ interpolation: Interpolation) {
        let scale = Double(source) / Double(target)
        let widening = max(scale, 1)
        let support = interpolation.support * widening
        stride = Int(support.rounded(.up)) * 2 + 1
        var (first, counts) = ([Int](), [Int]())
        var weights = [Int32](repeating: 0, count: target * stride)
        for index in 0..<target {
            let centre = (Double(index) + 0.5) * scale
            let low = max(Int(centre - support + 0.5), 0)
            let count = min(Int(centre + support + 0.5), source) - low
            let raw = (0..<count).map { interpolation.weight((Double($0 + low) - centre + 0.5) / widening) }
            let total = raw.reduce(0, +)
            for (tap, value) in raw.enumerated() {
                let fixed = (total == 0 ? value : value / total) * Double(1 << Self.precision)
                weights[index * stride + tap] = Int32(fixed < 0 ? fixed - 0.5 : fixed + 0.5)
            }
            first.append(low)
            counts.append(count)
        }
        (self.first, self.counts, self.weights) = (first, counts, weights)
    }
}
