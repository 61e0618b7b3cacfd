import CKernels

/// What is multiplied with weights of int8, as the codes that it gets stand for it.
extension Kernels {
    /// Codes with a scale and a zero point for each row of the innermost axis, see `ck_narrow`.
    static func codedRows(_ x: Tensor) -> Tensor {
        let width = x.shape[-1]
        let rows = x.count / width
        let codes = Storage(count: rows * NarrowWeights.words(width, ck_int8))
        let (scales, zeros) = (Storage(count: rows), Storage(count: rows))
        var sizes = ck_narrowing(precision: ck_int8, rows: Int64(rows), width: Int64(width))
        read(x) {
            ck_narrow(
                &sizes, $0, NarrowWeights.words(codes.elements.baseAddress), scales.elements.baseAddress,
                UnsafeMutableRawPointer(zeros.elements.baseAddress)?.assumingMemoryBound(to: Int32.self))
        }
        return withExtendedLifetime((scales, zeros)) {
            let points = UnsafeRawBufferPointer(zeros.elements)
            return decoded(codes, x.shape) { row in
                (scales.elements[row], points.load(fromByteOffset: 4 * row, as: Int32.self))
            }
        }
    }

    /// Codes with a scale for each of the images [B, H, W, C], whose numbers are bfloat16s before; see `HalfMap`.
    static func codedImages(_ x: Tensor) -> Tensor {
        let codes = HalfMap(x).codes(padding: 0)
        let pixels = x.shape[1] * x.shape[2]
        return decoded(codes.words, x.shape) { (codes.scales.elements[$0 / pixels], 0) }
    }

    /// - Parameter row: the scale and the zero point of each.
    private static func decoded(
        _ codes: Storage, _ shape: Shape, _ row: (Int) -> (scale: Float, zero: Int32)
    ) -> Tensor {
        let width = shape[-1]
        let step = 4 * NarrowWeights.words(width, ck_int8)
        return make(shape) { y in
            withExtendedLifetime(codes) {
                let bytes = UnsafeRawBufferPointer(codes.elements)
                parallelRows(1, shape.count / width, width) { _, index in
                    let (scale, zero) = row(index)
                    for i in 0..<width { y[index * width + i] = Float(Int32(bytes[index * step + i]) - zero) * scale }
                }
            }
        }
    }
}
