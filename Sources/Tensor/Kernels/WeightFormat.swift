import CKernels

/// How many bits the factors of products have; sums always have 32.
public enum Precision: String, Sendable, CaseIterable, Codable {
    /// 32 bits on both sides.
    case float32
    /// bfloat16 on both sides.
    case bfloat16 = "bf16"
    /// Whole numbers of 8 bits on both sides: weights with a scale for each output, inputs with one that each row, or image,
    /// gets as it comes.
    case int8

    /// Bytes of a number.
    public var bytes: Int {
        switch self {
        case .float32: 4
        case .bfloat16: 2
        case .int8: 1
        }
    }

    /// Whether this processor multiplies so itself. If not it takes more instructions, for the same results.
    public var isNative: Bool {
        switch self {
        case .float32: true
        case .bfloat16: ck_is_native(ck_bfloat16)
        case .int8: ck_is_native(ck_int8)
        }
    }
}

/// How a layer's weights are held, and so how it multiplies.
public enum WeightFormat: Sendable, Equatable {
    case float32
    case bfloat16
    /// From -127 to 127 times a scale for each output.
    case int8(scales: [Float])

    /// Its precision.
    public var precision: Precision {
        switch self {
        case .float32: .float32
        case .bfloat16: .bfloat16
        case .int8: .int8
        }
    }

    /// The format of the same weights, each output's multiplied by a factor.
    public func scaled(by factors: Tensor) -> WeightFormat {
        guard case .int8(let scales) = self else { return self }
        return .int8(scales: zip(scales, factors.scalars).map(*))
    }
}
