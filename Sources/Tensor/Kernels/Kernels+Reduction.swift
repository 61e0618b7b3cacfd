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
                if inner == 1 {
                    return parallel(outer, unit: n) { for o in $0 { y[o] = rowSum(x_ + o * n, n) } }
                }
                parallelColumns(outer, n, inner) { o, columns in
                    let row = y + o * inner
                    for i in columns { row[i] = 0 }
                    for j in 0..<n {
                        let source = x_ + (o * n + j) * inner
                        for i in columns { row[i] += source[i] }
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
                parallelRows(outer, n, inner) { o, row in
                    let (source, target) = (x_ + o * inner, y + row * inner)
                    for i in 0..<inner { target[i] = scale * source[i] }
                }
            }
        }
    }

    /// x, [outer, n, inner], its middle axis reduced to its largest element.
    static func largest(_ x: Tensor, axis: Int, into shape: Shape) -> Tensor {
        let (outer, inner) = x.shape.around(axis)
        let n = x.shape[axis]
        return read(x) { x_ in
            make(shape) { y in
                parallelColumns(outer, n, inner) { o, columns in
                    let row = y + o * inner
                    for i in columns { row[i] = x_[o * n * inner + i] }
                    for j in 1..<max(n, 1) {
                        let source = x_ + (o * n + j) * inner
                        for i in columns { row[i] = max(row[i], source[i]) }
                    }
                }
            }
        }
    }

    /// The gradient of `largest`: each element's share if it equals the largest, divided by how many do.
    static func shareAmongLargest(_ gradient: Tensor, _ x: Tensor, _ largest: Tensor, axis: Int) -> Tensor {
        let (outer, inner) = x.shape.around(axis)
        let n = x.shape[axis]
        return make(x.shape) { dx in
            withExtendedLifetime((gradient, x, largest)) {
                let (x_, y, dy) = (x.storage.elements, largest.storage.elements, gradient.storage.elements)
                for o in 0..<outer {
                    for i in 0..<inner {
                        let column = stride(from: o * n * inner + i, to: (o + 1) * n * inner, by: inner)
                        let equal = column.reduce(0) { $0 + (x_[$1] == y[o * inner + i] ? 1 : 0) }
                        let share = dy[o * inner + i] / Float(equal)
                        for at in column { dx[at] = x_[at] == y[o * inner + i] ? share : 0 }
                    }
                }
            }
        }
    }
}
