extension Tensor {
    /// Matrix product over the two innermost axes; leading axes (up to two) agree.
    ///
    /// O(batch·m·n·k). Transposing an operand costs nothing: it is read as it lies.
    public func matmul(_ other: Tensor, transposingFirst: Bool = false, transposingSecond: Bool = false) -> Tensor {
        let result = Self.product(self, other, transposingFirst, transposingSecond)
        let (a, b) = (detached, other.detached)
        let tracked = (isTracked, other.isTracked)
        return result.recorded(from: [self, other]) { gradient in
            // With A' and B' the operands as multiplied: dA' = dC·B'ᵀ, dB' = A'ᵀ·dC.
            let first =
                transposingFirst
                ? Self.product(b, gradient, transposingSecond, true)
                : Self.product(gradient, b, false, !transposingSecond)
            guard tracked.1 else { return [first, nil] }
            let second =
                transposingSecond
                ? Self.product(gradient, a, true, transposingFirst)
                : Self.product(a, gradient, !transposingFirst, false)
            return [tracked.0 ? first : nil, second]
        }
    }

    /// x·weightᵀ + bias over the innermost axis: weight [out, in], bias [out].
    public func linear(weight: Tensor, bias: Tensor?) -> Tensor {
        let (inputs, outputs) = (weight.shape[1], weight.shape[0])
        precondition(shape[-1] == inputs, "a linear layer of weight \(weight.shape) on \(shape)")
        let rows = reshaped([count / inputs, inputs]).detached
        let product = Product(
            m: rows.shape[0], n: outputs, k: inputs, a: .rows(of: inputs),
            b: MatrixLayout.rows(of: inputs).transposed, c: .rows(of: outputs))
        let shape = shape
        let result = Kernels.multiply(
            product, rows, weight, bias: bias, into: Shape(shape.dimensions.dropLast() + [outputs]))
        let (fixed, tracked) = (weight.detached, isTracked)
        return result.recorded(from: [self, weight] + (bias.map { [$0] } ?? [])) { gradient in
            let flat = gradient.reshaped([rows.shape[0], outputs])
            return [
                tracked ? Self.product(flat, fixed, false, false).reshaped(shape) : nil,
                Self.product(flat, rows, true, false),
                Kernels.sum(flat, axis: 0, into: [outputs]),
            ]
        }
    }

    /// The untracked product of two tensors of equal rank, 2 to 4.
    private static func product(_ a: Tensor, _ b: Tensor, _ transposeA: Bool, _ transposeB: Bool) -> Tensor {
        precondition(
            a.shape.rank == b.shape.rank && (2...4).contains(a.shape.rank)
                && a.shape.dimensions.dropLast(2).elementsEqual(b.shape.dimensions.dropLast(2)),
            "the product of \(a.shape) and \(b.shape)")
        let batch = Array(a.shape.dimensions.dropLast(2))
        let (m, k) = transposeA ? (a.shape[-1], a.shape[-2]) : (a.shape[-2], a.shape[-1])
        let (kB, n) = transposeB ? (b.shape[-1], b.shape[-2]) : (b.shape[-2], b.shape[-1])
        precondition(k == kB, "the product of \(a.shape) and \(b.shape), transposed \(transposeA), \(transposeB)")
        let (layoutA, layoutB) = (layout(of: a), layout(of: b))
        let shape = Shape(batch + [m, n])
        let product = Product(
            batch: batch, m: m, n: n, k: k, a: transposeA ? layoutA.transposed : layoutA,
            b: transposeB ? layoutB.transposed : layoutB, c: layout(of: shape))
        return Kernels.multiply(product, a, b, into: shape)
    }

    private static func layout(of tensor: Tensor) -> MatrixLayout { layout(of: tensor.shape) }

    private static func layout(of shape: Shape) -> MatrixLayout {
        let matrix = shape[-1] * shape[-2]
        let steps = shape.rank == 4 ? [shape[1] * matrix, matrix] : shape.rank == 3 ? [matrix] : []
        return MatrixLayout(batch: steps, row: shape[-1], column: 1)
    }
}
