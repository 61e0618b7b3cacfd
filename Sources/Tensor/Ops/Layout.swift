extension Tensor {
    /// Tensors side by side along an axis; the other axes agree.
    public static func concatenated(_ tensors: [Tensor], axis: Int) -> Tensor {
        precondition(!tensors.isEmpty, "concatenating no tensors")
        let axis = tensors[0].shape.axis(axis)
        let sizes = tensors.map { $0.shape[axis] }
        let shape = tensors[0].shape.replacing(axis, with: sizes.reduce(0, +))
        for tensor in tensors {
            precondition(
                tensor.shape.rank == shape.rank && tensor.shape.replacing(axis, with: shape[axis]) == shape,
                "concatenating \(tensors.map(\.shape)) along axis \(axis)")
        }
        return Kernels.concatenate(tensors, axis: axis, into: shape).recorded(from: tensors) { gradient in
            var start = 0
            return sizes.map { size in
                defer { start += size }
                return Kernels.slice(gradient, axis: axis, start..<(start + size))
            }
        }
    }

    /// The indices `range` of an axis.
    public func sliced(axis: Int, _ range: Range<Int>) -> Tensor {
        let axis = shape.axis(axis)
        precondition(range.lowerBound >= 0 && range.upperBound <= shape[axis], "\(range) of axis \(axis) of \(shape)")
        let original = shape
        return Kernels.slice(self, axis: axis, range).recorded(from: [self]) { gradient in
            [Kernels.embed(gradient, axis: axis, range, in: original)]
        }
    }

    /// The axes in another order: result axis i is this tensor's axis `axes[i]`.
    public func transposed(_ axes: [Int]) -> Tensor {
        precondition(axes.sorted() == Array(0..<shape.rank), "axes \(axes) of \(shape)")
        let inverse = axes.indices.map { axis in axes.firstIndex(of: axis) ?? axis }
        return Kernels.transpose(self, axes).recorded(from: [self]) { [Kernels.transpose($0, inverse)] }
    }

    /// The patches of [B, H, W, C] images, as rows for a patch embedding: [B, gy·gx, C·size·size], in the order
    /// (channel, y, x) of a convolution's weights. Patches overlap when the stride is smaller than the size; what is
    /// left over at the right and bottom is dropped. Images are data: tracked ones are refused.
    public func patches(size: Int, stride: Int) -> Tensor {
        precondition(shape.rank == 4 && !isTracked, "patches of \(shape), expected untracked [B, H, W, C]")
        precondition(shape[1] >= size && shape[2] >= size && stride > 0, "patches of \(size) in \(shape)")
        let grid = (y: (shape[1] - size) / stride + 1, x: (shape[2] - size) / stride + 1)
        return Kernels.patches(self, size: size, stride: stride, grid: grid)
    }
}

extension Tensor {
    /// Rows of a [N, ...] tensor by index: [indices, ...]. Embedding lookup; gradients of repeated rows add up.
    public func rows(at indices: [Int]) -> Tensor {
        precondition(indices.allSatisfy { (0..<shape[0]).contains($0) }, "rows of \(shape) out of range")
        let original = shape
        return Kernels.rows(self, at: indices).recorded(from: [self]) { gradient in
            [Kernels.scatter(gradient, at: indices, into: original)]
        }
    }

    /// One element of each row of a [B, C] matrix: [B].
    public func picked(at indices: [Int]) -> Tensor {
        precondition(
            shape.rank == 2 && indices.count == shape[0] && indices.allSatisfy { (0..<shape[1]).contains($0) },
            "\(indices.count) picks from \(shape) out of range")
        let original = shape
        return Kernels.pick(self, at: indices).recorded(from: [self]) { gradient in
            [Kernels.place(gradient, at: indices, into: original)]
        }
    }
}
