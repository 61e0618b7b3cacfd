extension Kernels {
    /// y[i] = f(x[i]).
    @inline(__always)
    static func map(_ x: Tensor, _ f: (Float) -> Float) -> Tensor {
        read(x) { x_ in
            make(x.shape) { y in parallel(x.count) { for i in $0 { y[i] = f(x_[i]) } } }
        }
    }

    /// y[i] = f(a[i], b[i]), where b's elements repeat if its shape is a suffix of a's.
    @inline(__always)
    static func zip(_ a: Tensor, _ b: Tensor, _ f: (Float, Float) -> Float) -> Tensor {
        let period = b.count
        return read(a) { a_ in
            read(b) { b_ in
                make(a.shape) { y in
                    if period == a.count { return parallel(period) { for i in $0 { y[i] = f(a_[i], b_[i]) } } }
                    parallel(a.count / max(period, 1), unit: period) { rows in
                        for start in rows.lazy.map({ $0 * period }) {
                            for i in 0..<period { y[start + i] = f(a_[start + i], b_[i]) }
                        }
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
