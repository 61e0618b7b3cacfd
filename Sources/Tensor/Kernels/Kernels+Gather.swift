extension Kernels {
    /// Rows of x, [N, ...], by index.
    static func rows(_ x: Tensor, at indices: [Int]) -> Tensor {
        let (_, inner) = x.shape.around(0)
        return read(x) { x_ in
            make(x.shape.replacing(0, with: indices.count)) { y in
                for (i, index) in indices.enumerated() {
                    (y + i * inner).update(from: x_ + index * inner, count: inner)
                }
            }
        }
    }

    /// Zeros of `shape`, with the rows of x added at their indices: the transpose of `rows`.
    static func scatter(_ x: Tensor, at indices: [Int], into shape: Shape) -> Tensor {
        let (_, inner) = shape.around(0)
        return read(x) { x_ in
            make(shape) { y in
                y.update(repeating: 0, count: shape.count)
                for (i, index) in indices.enumerated() {
                    let (target, source) = (y + index * inner, x_ + i * inner)
                    for j in 0..<inner { target[j] += source[j] }
                }
            }
        }
    }

    /// x[i, indices[i]] for each row i of a matrix.
    static func pick(_ x: Tensor, at indices: [Int]) -> Tensor {
        read(x) { x_ in
            make([indices.count]) { y in
                for (i, index) in indices.enumerated() { y[i] = x_[i * x.shape[1] + index] }
            }
        }
    }

    /// The transpose of `pick`.
    static func place(_ x: Tensor, at indices: [Int], into shape: Shape) -> Tensor {
        read(x) { x_ in
            make(shape) { y in
                y.update(repeating: 0, count: shape.count)
                for (i, index) in indices.enumerated() { y[i * shape[1] + index] = x_[i] }
            }
        }
    }
}
