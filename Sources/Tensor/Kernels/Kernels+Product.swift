import COneDNN

/// A matrix inside a tensor's memory: where it starts and how far apart its batches, rows and columns are, in elements.
/// Transposed and interleaved operands need no copy.
struct MatrixLayout {
    var offset = 0
    /// One step a batch axis.
    var batch: [Int] = []
    var row: Int
    var column: Int

    /// A row-major matrix.
    static func rows(of columns: Int) -> MatrixLayout { MatrixLayout(row: columns, column: 1) }

    var transposed: MatrixLayout { MatrixLayout(offset: offset, batch: batch, row: column, column: row) }
}

/// The sizes and layouts of C = scale·(A·B + bias).
struct Product {
    /// Up to two batch axes.
    var batch: [Int] = []
    var m: Int
    var n: Int
    var k: Int
    var a: MatrixLayout
    var b: MatrixLayout
    var c: MatrixLayout
    var scale: Float = 1

    /// As the C interface wants it; unused bytes are zero because they are part of the cache's key.
    func described(hasBias: Bool) -> cdnn_matmul {
        var product = cdnn_matmul()
        product.rank = Int32(batch.count + 2)
        product.has_bias = hasBias ? 1 : 0
        product.scale = scale
        if batch.count > 0 { product.batch.0 = Int64(batch[0]) }
        if batch.count > 1 { product.batch.1 = Int64(batch[1]) }
        (product.m, product.n, product.k) = (Int64(m), Int64(n), Int64(k))
        product.a_strides = a.strides
        product.b_strides = b.strides
        product.c_strides = c.strides
        return product
    }
}

extension MatrixLayout {
    var strides: (Int64, Int64, Int64, Int64) {
        let all = (batch + [row, column]).map(Int64.init) + [0, 0]
        return (all[0], all[1], all[2], all[3])
    }
}

extension Kernels {
    /// Runs a product into `output`, whose memory it writes at the product's layout.
    static func multiply(
        _ product: Product, _ a: Tensor, _ b: Tensor, bias: Tensor? = nil,
        into output: UnsafeMutablePointer<Float>
    ) {
        var description = product.described(hasBias: bias != nil)
        read(a) { a_ in
            read(b) { b_ in
                withExtendedLifetime(bias) {
                    check(
                        cdnn_matmul_run(
                            &description, a_ + product.a.offset, b_ + product.b.offset,
                            bias?.storage.elements.baseAddress, output + product.c.offset), "product \(product)")
                }
            }
        }
    }

    static func multiply(
        _ product: Product, _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, into shape: Shape
    ) -> Tensor {
        make(shape) { multiply(product, a, b, bias: bias, into: $0) }
    }
}
