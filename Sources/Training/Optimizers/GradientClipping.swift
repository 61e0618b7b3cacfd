import Tensor

extension [String: Tensor] {
    /// The Euclidean norm of all gradients together.
    private var norm: Double {
        // In an order that does not change from run to run: sums depend on it.
        let squares = keys.sorted().map { path in
            self[path]?.withUnsafeScalars { $0.reduce(0.0) { $0 + Double($1) * Double($1) } } ?? 0
        }
        return squares.reduce(0, +).squareRoot()
    }

    /// The gradients, scaled down to a norm if theirs is larger (Pascanu et al., 2013), as PyTorch's `clip_grad_norm_` does.
    /// O(parameters).
    package func clipped(toNorm limit: Float) -> [String: Tensor] {
        let factor = Double(limit) / (norm + 1e-6)
        return factor < 1 ? mapValues { $0.scaled(by: Float(factor)) } : self
    }
}
