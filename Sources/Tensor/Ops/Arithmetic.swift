extension Tensor {
    /// Sums; b's shape is a's or a suffix of it, over whose leading axes it is then repeated.
    public static func + (a: Tensor, b: Tensor) -> Tensor {
        checkBroadcast(a, b)
        let shape = b.shape
        return Kernels.combine(a, b, Kernels.Adding.self).recorded(from: [a, b]) { [$0, $0.summed(to: shape)] }
    }

    /// Differences; b's shape is a's or a suffix of it.
    public static func - (a: Tensor, b: Tensor) -> Tensor {
        checkBroadcast(a, b)
        let shape = b.shape
        return Kernels.combine(a, b, Kernels.Subtracting.self).recorded(from: [a, b]) {
            [$0, $0.scaled(by: -1).summed(to: shape)]
        }
    }

    /// Products of elements; b's shape is a's or a suffix of it.
    public static func * (a: Tensor, b: Tensor) -> Tensor {
        checkBroadcast(a, b)
        let (left, right) = (a.detached, b.detached)
        let tracked = (a.isTracked, b.isTracked)
        return Kernels.combine(a, b, Kernels.Multiplying.self).recorded(from: [a, b]) { gradient in
            [
                tracked.0 ? Kernels.combine(gradient, right, Kernels.Multiplying.self) : nil,
                tracked.1 ? Kernels.combine(gradient, left, Kernels.Multiplying.self).summed(to: right.shape) : nil,
            ]
        }
    }

    /// Products of elements with those of b, which lacks the axis `axis` and is repeated along it.
    public func multiplied(by b: Tensor, repeatedAlong axis: Int) -> Tensor {
        let axis = shape.axis(axis)
        precondition(b.shape == shape.removing(axis), "\(shape) times \(b.shape) along axis \(axis)")
        let (left, right) = (detached, b.detached)
        let tracked = (isTracked, b.isTracked)
        let product = Kernels.combine(self, b, Kernels.Multiplying.self, repeatedAlong: axis)
        return product.recorded(from: [self, b]) { gradient in
            [
                tracked.0 ? Kernels.combine(gradient, right, Kernels.Multiplying.self, repeatedAlong: axis) : nil,
                tracked.1 ? Kernels.combine(gradient, left, Kernels.Multiplying.self).sum(axis: axis) : nil,
            ]
        }
    }

    /// The negated elements.
    public static prefix func - (a: Tensor) -> Tensor { a.scaled(by: -1) }

    /// Every element times a constant.
    public func scaled(by factor: Float) -> Tensor {
        Kernels.map(self) { $0 * factor }.recorded(from: [self]) { [$0.scaled(by: factor)] }
    }

    /// Every element plus a constant.
    public func adding(_ constant: Float) -> Tensor {
        Kernels.map(self) { $0 + constant }.recorded(from: [self]) { [$0] }
    }

    /// The elementwise mean of tensors of one shape.
    public static func mean(of tensors: [Tensor]) -> Tensor {
        precondition(!tensors.isEmpty, "the mean of no tensors")
        precondition(tensors.allSatisfy { $0.shape == tensors[0].shape }, "the mean of \(tensors.map(\.shape))")
        if tensors.count == 1 { return tensors[0] }
        let scale = 1 / Float(tensors.count)
        return Kernels.mean(of: tensors).recorded(from: tensors) { gradient in
            [Tensor?](repeating: gradient.scaled(by: scale), count: tensors.count)
        }
    }

    /// The sum over the leading axes that `shape`, a suffix of this one, lacks: the transpose of broadcasting.
    func summed(to shape: Shape) -> Tensor {
        guard shape != self.shape else { return self }
        let flat = reshaped([count / max(shape.count, 1), shape.count])
        return Kernels.sum(flat, axis: 0, into: shape)
    }

    private static func checkBroadcast(_ a: Tensor, _ b: Tensor) {
        precondition(a.shape.hasSuffix(b.shape), "elementwise on \(a.shape) and \(b.shape)")
    }
}
