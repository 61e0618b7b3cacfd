/// What a batch norm in training returns: the normalised batch, and the statistics it used, for the running averages.
public struct BatchNormResult: Sendable {
    /// [B, D].
    public let output: Tensor
    /// [D]; off the tape.
    public let mean: Tensor
    /// [D], biased (divided by B); off the tape.
    public let variance: Tensor
}

extension Tensor {
    /// Normalises each column of a [B, D] batch by its own mean and variance, then scales and shifts it
    /// (Ioffe and Szegedy, 2015): batch norm in training.
    public func batchNorm(weight: Tensor, bias: Tensor, epsilon: Float) -> BatchNormResult {
        precondition(shape.rank == 2 && shape[0] > 1, "batch norm in training of \(shape), expected [B > 1, D]")
        let mean = mean(axis: 0)
        let centred = self - mean
        let variance = centred.squared().mean(axis: 0)
        let normalised = centred * variance.reciprocalSquareRoot(adding: epsilon)
        return BatchNormResult(
            output: normalised * weight + bias, mean: mean.detached, variance: variance.detached)
    }

    /// The same by fixed statistics: batch norm in inference.
    public func batchNorm(weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Float) -> Tensor {
        (self - mean) * (weight * variance.reciprocalSquareRoot(adding: epsilon)) + bias
    }

    /// 1 / √(x + ε) of each element.
    func reciprocalSquareRoot(adding epsilon: Float) -> Tensor {
        let output = Kernels.map(self) { 1 / ($0 + epsilon).squareRoot() }
        return output.recorded(from: [self]) { gradient in
            [Kernels.zip(gradient, output) { -0.5 * $0 * $1 * $1 * $1 }]
        }
    }
}
