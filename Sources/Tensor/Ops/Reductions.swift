extension Tensor {
    /// The sum of all elements, as a scalar.
    public func sum() -> Tensor {
        let original = shape
        return Tensor(Kernels.sum(self)).recorded(from: [self]) { [Tensor(repeating: $0.scalar, shape: original)] }
    }

    /// The mean of all elements, as a scalar.
    public func mean() -> Tensor { sum().scaled(by: 1 / Float(count)) }

    /// The sum over one axis, which is removed; negative axes count from the innermost.
    public func sum(axis: Int) -> Tensor {
        let axis = shape.axis(axis)
        let original = shape
        return Kernels.sum(self, axis: axis, into: shape.removing(axis)).recorded(from: [self]) { gradient in
            [Kernels.repeat(gradient, along: axis, of: original, scaledBy: 1)]
        }
    }

    /// The mean over one axis, which is removed.
    public func mean(axis: Int) -> Tensor { sum(axis: axis).scaled(by: 1 / Float(shape[axis])) }

    /// The largest over one axis, which is removed. Equal ones share the gradient, as in PyTorch's `amax`.
    public func largest(axis: Int) -> Tensor {
        let axis = shape.axis(axis)
        let input = detached
        let output = Kernels.largest(self, axis: axis, into: shape.removing(axis))
        return output.recorded(from: [self]) { [Kernels.shareAmongLargest($0, input, output, axis: axis)] }
    }

    /// `count` copies along a new axis.
    public func repeated(_ count: Int, axis: Int) -> Tensor {
        var dimensions = shape.dimensions
        dimensions.insert(count, at: axis)
        return Kernels.repeat(self, along: axis, of: Shape(dimensions), scaledBy: 1)
            .recorded(from: [self]) { [$0.sum(axis: axis)] }
    }

    /// `count` copies along a new leading axis.
    public func broadcast(leading count: Int) -> Tensor { repeated(count, axis: 0) }
}
