import Tensor

/// A tensor of whole numbers from -127 to 127, each output's, the first axis', times a scale.
struct CodedTensor: Sendable, Equatable {
    /// The suffixes of the two entries that hold one in a file.
    static let codesSuffix = ".codes"
    static let scalesSuffix = ".scales"

    let codes: [Int8]
    let scales: [Float]
    let shape: Shape

    /// A coded tensor as read from a file, under the name that errors give it.
    ///
    /// Throws `CheckpointError.Reason.precision` for scales that are not positive numbers, one an output, and a code of -128.
    init(_ name: String, codes: [Int8], scales: [Float], shape: Shape) throws {
        (self.codes, self.scales, self.shape) = (codes, scales, shape)
        try check(name)
    }

    /// The codes of a tensor whose elements are such numbers times the scales, up to rounding.
    init(_ tensor: Tensor, scales: [Float]) {
        self.scales = scales
        shape = tensor.shape
        let row = tensor.count / max(scales.count, 1)
        codes = tensor.withUnsafeScalars { scalars in
            scalars.enumerated().map { index, value in
                Int8(max(-127, min(127, (value / scales[index / row]).rounded(.toNearestOrEven))))
            }
        }
    }

    private func check(_ name: String) throws {
        func refusal(_ expected: String, _ found: String) -> CheckpointError.Reason {
            .precision(tensor: name, expected: expected, found: found)
        }
        guard shape.rank > 1, scales.count == shape[0], codes.count == shape.count else {
            throw refusal(
                "codes of two or more axes and a scale for each index of the first",
                "shape \(shape) and \(scales.count) scales")
        }
        if let index = scales.firstIndex(where: { !($0.isNormal && $0 > 0) }) {
            throw refusal("scales above 0", "\(scales[index]) at index \(index)")
        }
        if codes.contains(-128), let index = codes.firstIndex(of: -128) {
            throw refusal("codes from -127 to 127", "-128 at index \(index)")
        }
        let row = shape.count / scales.count
        for (output, scale) in scales.enumerated() where !(scale * 127).isFinite {
            let isFinite = codes[(output * row)..<((output + 1) * row)].allSatisfy { (Float($0) * scale).isFinite }
            if !isFinite { throw refusal("scales of finite weights", "an infinity") }
        }
    }

    /// The numbers that it stands for: a new tensor each time.
    var tensor: Tensor {
        let row = shape.count / scales.count
        return Tensor(weightsOf: shape) { scalars in
            codes.withUnsafeBufferPointer { codes in
                for (output, scale) in scales.enumerated() {
                    for index in (output * row)..<((output + 1) * row) { scalars[index] = Float(codes[index]) * scale }
                }
            }
        }
    }
}

extension Tensor {
    /// The nearest tensor in int8, and its format: each output's largest element is 127 or -127. Of two or more axes.
    public func roundedToInt8() -> (tensor: Tensor, format: WeightFormat) {
        let row = count / shape[0]
        let scales = withUnsafeScalars { scalars in
            (0..<shape[0]).map { output in
                let most = scalars[(output * row)..<((output + 1) * row)].reduce(0) { max($0, abs($1)) }
                // An output of zeros has some scale.
                return most / 127 >= .leastNormalMagnitude ? most / 127 : 1
            }
        }
        let coded = CodedTensor(self, scales: scales)
        return (coded.tensor, .int8(scales: scales))
    }

    /// The nearest tensor in bfloat16, ties to even.
    public func roundedToBFloat16() -> Tensor {
        withUnsafeScalars { scalars in
            Tensor(shape: shape) { rounded in
                for index in rounded.indices {
                    let bits = scalars[index].bitPattern
                    rounded[index] = Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
                }
            }
        }
    }
}
