extension Kernels {
    /// The sum of all elements, accumulated in double precision.
    static func sum(_ x: Tensor) -> Float {
        read(x) { x_ in
            var total = 0.0
            for i in 0..<x.count { total += Double(x_[i]) }
            return Float(total)
        }
    }

    /// x, [outer, n, inner], summed over its middle axis: [outer, inner] under the shape `shape`.
    static func sum(_ x: Tensor, axis: Int, into shape: Shape) -> Tensor {
        let (outer, inner) = x.shape.around(axis)
        let n = x.shape[axis]
        return read(x) { x_ in
            make(shape) { y in
                for o in 0..<outer {
                    let row = y + o * inner
                    if inner == 1 {
                        row[0] = rowSum(x_ + o * n, n)
                        continue
                    }
                    for i in 0..<inner { row[i] = 0 }
                    for j in 0..<n {
                        let source = x_ + (o * n + j) * inner
                        for i in 0..<inner { row[i] += source[i] }
                    }
                }
            }
        }
    }

    private static func rowSum(_ x: UnsafePointer<Float>, _ n: Int) -> Float {
        var total = 0.0
        for i in 0..<n { total += Double(x[i]) }
        return Float(total)
    }

    /// The inverse of `sum(axis:)`'s shape change: y[o, j, i] = scale·x[o, i] for every j.
    static func `repeat`(_ x: Tensor, along axis: Int, of shape: Shape, scaledBy scale: Float) -> Tensor {
        let (outer, inner) = shape.around(axis)
        let n = shape[axis]
        return read(x) { x_ in
            make(shape) { y in
                for o in 0..<outer {
                    let source = x_ + o * inner
                    for j in 0..<n {
                        let row = y + (o * n + j) * inner
                        for i in 0..<inner { row[i] = scale * source[i] }
                    }
                }
            }
        }
    }
}
