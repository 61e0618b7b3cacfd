/// 16-bit thermal values to 8 bits.
enum ThermalScaling {
    /// Scales linearly so that `range` becomes 0 to 255, clamped and rounded. Without a range, the values' own 0.1 and
    /// 99.9 percentiles: a thermal camera's span is far wider than a scene's. A constant image becomes 0. O(n).
    static func scaled(_ values: [UInt16], range: ClosedRange<UInt16>?) -> [UInt8] {
        let range = range ?? percentiles(of: values)
        let (low, span) = (Float(range.lowerBound), Float(range.upperBound) - Float(range.lowerBound))
        guard span > 0 else { return [UInt8](repeating: 0, count: values.count) }
        let table = (0...Int(UInt16.max)).map { value in
            UInt8(min(max((Float(value) - low) / span, 0), 1) * 255 + 0.5)
        }
        return values.map { table[Int($0)] }
    }

    /// The nearest-rank 0.1 and 99.9 percentiles.
    static func percentiles(of values: [UInt16]) -> ClosedRange<UInt16> {
        var histogram = [Int](repeating: 0, count: 1 << 16)
        for value in values { histogram[Int(value)] += 1 }
        let last = values.count - 1
        let low = value(ofRank: Int((Double(last) * 0.001).rounded()), in: histogram)
        let high = value(ofRank: Int((Double(last) * 0.999).rounded()), in: histogram)
        return low...high
    }

    private static func value(ofRank rank: Int, in histogram: [Int]) -> UInt16 {
        var seen = 0
        for (value, count) in histogram.enumerated() {
            seen += count
            if seen > rank { return UInt16(value) }
        }
        return .max
    }
}
