extension Kernels {
    /// Axes in a new order: result axis i is x's axis `axes[i]`.
    static func transpose(_ x: Tensor, _ axes: [Int]) -> Tensor {
        let shape = Shape(axes.map { x.shape[$0] })
        var steps = [Int](repeating: 1, count: x.shape.rank)
        for axis in (0..<x.shape.rank).dropLast().reversed() { steps[axis] = steps[axis + 1] * x.shape[axis + 1] }
        let ordered = axes.map { steps[$0] }
        return read(x) { x_ in
            make(shape) { y in copyStrided(from: x_, steps: ordered, dimensions: shape.dimensions, to: y) }
        }
    }

    private static func copyStrided(
        from x: UnsafePointer<Float>, steps: [Int], dimensions: [Int], to y: UnsafeMutablePointer<Float>
    ) {
        let rank = dimensions.count
        guard rank > 0 else { return y[0] = x[0] }
        let inner = dimensions[rank - 1]
        let step = steps[rank - 1]
        var index = [Int](repeating: 0, count: rank)
        var source = 0
        for row in 0..<(dimensions.dropLast().reduce(1, *)) {
            let target = y + row * inner
            for i in 0..<inner { target[i] = x[source + i * step] }
            var axis = rank - 2
            while axis >= 0 {
                index[axis] += 1
                source += steps[axis]
                if index[axis] < dimensions[axis] { break }
                source -= index[axis] * steps[axis]
                index[axis] = 0
                axis -= 1
            }
        }
    }

    /// Tensors side by side along an axis.
    static func concatenate(_ tensors: [Tensor], axis: Int, into shape: Shape) -> Tensor {
        let (outer, inner) = shape.around(axis)
        let total = shape[axis] * inner
        return make(shape) { y in
            var offset = 0
            for tensor in tensors {
                let run = tensor.shape[axis] * inner
                read(tensor) { x in
                    for o in 0..<outer { (y + o * total + offset).update(from: x + o * run, count: run) }
                }
                offset += run
            }
        }
    }

    /// The indices `range` of an axis.
    static func slice(_ x: Tensor, axis: Int, _ range: Range<Int>) -> Tensor {
        let (outer, inner) = x.shape.around(axis)
        let run = range.count * inner
        return read(x) { x_ in
            make(x.shape.replacing(axis, with: range.count)) { y in
                for o in 0..<outer {
                    let source = x_ + (o * x.shape[axis] + range.lowerBound) * inner
                    (y + o * run).update(from: source, count: run)
                }
            }
        }
    }

    /// Zeros of `shape`, with x at the indices `range` of an axis: the transpose of `slice`.
    static func embed(_ x: Tensor, axis: Int, _ range: Range<Int>, in shape: Shape) -> Tensor {
        let (outer, inner) = shape.around(axis)
        let run = range.count * inner
        return read(x) { x_ in
            make(shape) { y in
                y.update(repeating: 0, count: shape.count)
                for o in 0..<outer {
                    let target = y + (o * shape[axis] + range.lowerBound) * inner
                    target.update(from: x_ + o * run, count: run)
                }
            }
        }
    }

    /// The patches of [B, H, W, C] images as rows in the order (channel, y, x): [B, gy·gx, C·size·size].
    static func patches(_ x: Tensor, size: Int, stride: Int, grid: (y: Int, x: Int)) -> Tensor {
        let (height, width, channels) = (x.shape[1], x.shape[2], x.shape[3])
        let row = channels * size * size
        return read(x) { x_ in
            make([x.shape[0], grid.y * grid.x, row]) { out in
                for patch in 0..<(x.shape[0] * grid.y * grid.x) {
                    let (image, cell) = patch.quotientAndRemainder(dividingBy: grid.y * grid.x)
                    let (gy, gx) = cell.quotientAndRemainder(dividingBy: grid.x)
                    for py in 0..<size {
                        let line = (image * height + gy * stride + py) * width + gx * stride
                        let source = x_ + line * channels
                        let target = out + patch * row + py * size
                        for c in 0..<channels {
                            for px in 0..<size { target[c * size * size + px] = source[px * channels + c] }
                        }
                    }
                }
            }
        }
    }
}
