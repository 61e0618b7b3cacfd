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
