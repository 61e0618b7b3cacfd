import CKernels

/// Weights as codes of 8 bits or bfloat16s, in the layout of the kernels; what they are multiplied with becomes narrow on the
/// way.
struct NarrowWeights: Sendable {
    let precision: ck_precision
    private let packed: Storage
    private let outputs: Int
    private let elements: Int

    /// Packs weights; nil for those that stay float32.
    ///
    /// - Parameters:
    ///   - windows: in words.
    ///   - elements: of a tap.
    init?(
        _ weight: Tensor, _ steps: ck_weight_steps, _ format: WeightFormat, bias: Tensor?, _ windows: ck_windows,
        outputs: Int, elements: Int
    ) {
        guard let precision = format.kernel else { return nil }
        var scales: [Float] = []
        if case .int8(let each) = format { scales = each }
        precondition(scales.isEmpty || scales.count == outputs, "\(scales.count) scales for \(outputs) outputs")
        (self.precision, self.outputs, self.elements) = (precision, outputs, elements)
        packed = Self.with(precision, windows, outputs, elements) { layer in
            Kernels.packed(count: Int(ck_narrow_packed_count(layer)), weight, bias: bias) { weight, bias, target in
                ck_narrow_pack(layer, weight, steps, scales, bias, Self.words(target))
            }
        }
    }

    /// activation(windows(x) · weights + bias + residual), see `ck_narrow_product`.
    ///
    /// - Parameters:
    ///   - windows: in words; of int8 rows.
    ///   - width: elements of a row of x, or of a pixel.
    func product(
        _ windows: ck_windows, _ x: Tensor, width: Int, residual: Tensor?, activation: Activation, into shape: Shape
    ) -> Tensor {
        let rows = x.count / width
        let words = Storage(count: rows * Self.words(width, precision))
        let (scales, zeros) = (Storage(count: rows), Storage(count: rows))
        let zeroPoints = UnsafeMutableRawPointer(zeros.elements.baseAddress)?.assumingMemoryBound(to: Int32.self)
        var sizes = ck_narrowing(precision: precision, rows: Int64(rows), width: Int64(width))
        Kernels.read(x) {
            ck_narrow(&sizes, $0, Self.words(words.elements.baseAddress), scales.elements.baseAddress, zeroPoints)
        }
        var input = ck_narrow_input(
            words: Self.words(words.elements.baseAddress), scales: scales.elements.baseAddress, zeros: zeroPoints)
        return Kernels.make(shape) { y in
            withExtendedLifetime((residual, packed, words, scales, zeros)) {
                Self.with(precision, windows, outputs, elements) { layer in
                    ck_narrow_product(
                        layer, &input, Self.words(packed.elements.baseAddress),
                        residual?.storage.elements.baseAddress, activation.kernel, y)
                }
            }
        }
    }

    /// activation(windows(codes) · weights + bias + residual), see `ck_map_product`.
    ///
    /// - Parameter windows: in words, over the codes with their edge.
    func product(_ windows: ck_windows, _ codes: HalfMap.Codes, _ results: ck_map_results) {
        var results = results
        withExtendedLifetime((packed, codes)) {
            Self.with(precision, windows, outputs, elements) { layer in
                ck_map_product(
                    layer, Self.words(codes.words.elements.baseAddress), codes.scales.elements.baseAddress,
                    Self.words(packed.elements.baseAddress), &results)
            }
        }
    }

    /// Words of so many elements.
    static func words(_ elements: Int, _ precision: ck_precision) -> Int {
        Int(ck_words(precision, Int64(elements)))
    }

    static func words(_ memory: UnsafeMutablePointer<Float>?) -> UnsafeMutablePointer<UInt32>? {
        UnsafeMutableRawPointer(memory)?.assumingMemoryBound(to: UInt32.self)
    }

    private static func with<Result>(
        _ precision: ck_precision, _ windows: ck_windows, _ outputs: Int, _ elements: Int,
        _ body: (UnsafePointer<ck_narrow_layer>) -> Result
    ) -> Result {
        withUnsafePointer(to: windows) { windows in
            let layer = ck_narrow_layer(
                precision: precision, windows: windows, outputs: Int64(outputs), elements: Int64(elements))
            return withUnsafePointer(to: layer, body)
        }
    }
}

extension WeightFormat {
    /// As the C interface has it; nil for float32.
    var kernel: ck_precision? {
        switch self {
        case .float32: nil
        case .bfloat16: ck_bfloat16
        case .int8: ck_int8
        }
    }
}
