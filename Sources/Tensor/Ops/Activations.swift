import Foundation

/// An elementwise nonlinearity that products can apply to their result.
public enum Activation: Sendable, Hashable {
    /// None.
    case identity
    /// max(x, 0).
    case relu
    /// x·Φ(x) with the exact error function, as PyTorch's default GELU.
    case gelu
    /// x·σ(1.702·x), an approximation of GELU (Hendrycks and Gimpel, 2016) that is CLIP's own function.
    case quickGELU
}

extension Tensor {
    /// The activation of each element.
    public func activated(_ activation: Activation) -> Tensor {
        guard activation != .identity else { return self }
        let input = detached
        return Kernels.activate(activation, self).recorded(from: [self]) { gradient in
            [Kernels.activateBackward(activation, input, gradient)]
        }
    }

    /// max(x, 0) of each element.
    public func relu() -> Tensor { activated(.relu) }

    /// x·Φ(x) of each element.
    public func gelu() -> Tensor { activated(.gelu) }

    /// x² of each element.
    public func squared() -> Tensor {
        let input = detached
        return Kernels.map(self) { $0 * $0 }.recorded(from: [self]) { gradient in
            [Kernels.zip(gradient, input) { 2 * $0 * $1 }]
        }
    }

    /// The square root of each element, of `floor` where it is less: there the gradient is zero, as that of PyTorch's
    /// `clamp_min(floor).sqrt()`.
    public func squareRoot(clampedTo floor: Float = 0) -> Tensor {
        let input = detached
        return Kernels.map(self) { max($0, floor).squareRoot() }.recorded(from: [self]) { gradient in
            [Kernels.zip(gradient, input) { $1 >= floor ? $0 * 0.5 / $1.squareRoot() : 0 }]
        }
    }

    /// log(1 + exp(x)) of each element, without overflow.
    public func softplus() -> Tensor {
        let input = detached
        return Kernels.map(self) { max($0, 0) + Foundation.log1p(Foundation.exp(-abs($0))) }
            .recorded(from: [self]) { gradient in
                [Kernels.zip(gradient, input) { $0 / (1 + Foundation.exp(-$1)) }]
            }
    }

    /// 1 / (1 + exp(-x)) of each element.
    public func sigmoid() -> Tensor {
        let output = Kernels.map(self) { 1 / (1 + Foundation.exp(-$0)) }
        return output.recorded(from: [self]) { gradient in
            [Kernels.zip(gradient, output) { $0 * $1 * (1 - $1) }]
        }
    }

    /// The same elements, whose gradient is negated: gradient reversal (Ganin et al., 2016).
    public func reversingGradient() -> Tensor {
        Tensor(storage: storage, shape: shape).recorded(from: [self]) { [$0.scaled(by: -1)] }
    }

    /// Each row of [N, D] divided by its L2 norm, at least 1e-12 (as PyTorch's `normalize`).
    public func normalizedRows() -> Tensor {
        let inverse = squared().sum(axis: 1).squareRoot(clampedTo: 1e-24).reciprocal()
        return multiplied(by: inverse, repeatedAlong: 1)
    }

    /// 1 / x of each element.
    public func reciprocal() -> Tensor {
        let output = Kernels.map(self) { 1 / $0 }
        return output.recorded(from: [self]) { gradient in [Kernels.zip(gradient, output) { -$0 * $1 * $1 }] }
    }
}
