/// What is done to each pair of elements. A type rather than a closure, so that the compiler makes a loop with vectors for
/// each: a closure that another one holds on to is called anew for every element.
protocol PairOperation {
    static func apply(_ a: Float, _ b: Float) -> Float
}

extension Kernels {
    enum Adding: PairOperation { static func apply(_ a: Float, _ b: Float) -> Float { a + b } }
    enum Subtracting: PairOperation { static func apply(_ a: Float, _ b: Float) -> Float { a - b } }
    enum Multiplying: PairOperation { static func apply(_ a: Float, _ b: Float) -> Float { a * b } }

    /// y[i] = f(x[i]).
    @inline(__always)
    static func map(_ x: Tensor, _ f: (Float) -> Float) -> Tensor {
        read(x) { x_ in
            make(x.shape) { y in parallel(x.count) { for i in $0 { y[i] = f(x_[i]) } } }
        }
    }

    /// y[i] = f(a[i], b[i]), of two tensors of one shape.
    @inline(__always)
    static func zip(_ a: Tensor, _ b: Tensor, _ f: (Float, Float) -> Float) -> Tensor {
        read(a) { a_ in
            read(b) { b_ in
                make(a.shape) { y in parallel(a.count) { for i in $0 { y[i] = f(a_[i], b_[i]) } } }
            }
        }
    }

    /// y[j, i] = operation(a[j, i], b[i]), where b's shape is a's or a suffix of it.
    static func combine<Operation: PairOperation>(_ a: Tensor, _ b: Tensor, _ operation: Operation.Type) -> Tensor {
        combine(a, b, operation, sizes: (1, a.count / max(b.count, 1), b.count))
    }

    /// y[o, j, i] = operation(a[o, j, i], b[o, i]), where a is [outer, n, inner] about the axis that b lacks.
    static func combine<Operation: PairOperation>(
        _ a: Tensor, _ b: Tensor, _ operation: Operation.Type, repeatedAlong axis: Int
    ) -> Tensor {
        let (outer, inner) = a.shape.around(axis)
        return combine(a, b, operation, sizes: (outer, a.shape[axis], inner))
    }

    private static func combine<Operation: PairOperation>(
        _ a: Tensor, _ b: Tensor, _: Operation.Type, sizes: (outer: Int, n: Int, inner: Int)
    ) -> Tensor {
        let (_, n, inner) = sizes
        return read(a) { a_ in
            read(b) { b_ in
                make(a.shape) { y in
                    if n == 1 {
                        return parallel(a.count) { for i in $0 { y[i] = Operation.apply(a_[i], b_[i]) } }
                    }
                    parallelRows(sizes.outer, n, inner) { o, row in
                        let (left, right, result) = (a_ + row * inner, b_ + o * inner, y + row * inner)
                        for i in 0..<inner { result[i] = Operation.apply(left[i], right[i]) }
                    }
                }
            }
        }
    }

    /// The elementwise mean of tensors of one shape.
    static func mean(of tensors: [Tensor]) -> Tensor {
        let scale = 1 / Float(tensors.count)
        return make(tensors[0].shape) { y in
            let count = tensors[0].count
            for (index, tensor) in tensors.enumerated() {
                read(tensor) { x in
                    if index == 0 {
                        for i in 0..<count { y[i] = x[i] }
                    } else {
                        for i in 0..<count { y[i] += x[i] }
                    }
                }
            }
            for i in 0..<count { y[i] *= scale }
        }
    }
}
