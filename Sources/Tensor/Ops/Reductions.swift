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

    /// `count` copies along a new leading axis.
    public func broadcast(leading count: Int) -> Tensor {
        let target = Shape([count] + shape.dimensions)
        return Kernels.repeat(self, along: 0, of: target, scaledBy: 1).recorded(from: [self]) { [$0.sum(axis: 0)] }
    }
}
