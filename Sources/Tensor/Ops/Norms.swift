/// What a batch norm in training returns: the normalised batch, and the statistics it used, for the running averages.
public struct BatchNormResult: Sendable {
    /// Of the input's shape.
    public let output: Tensor
    /// [C]; off the tape.
    public let mean: Tensor
    /// [C], biased (divided by the number of rows); off the tape.
    public let variance: Tensor
    /// How many rows there were.
    public let rows: Int
}

extension Tensor {
    /// Normalises each of the innermost axis' C columns by its own mean and variance over all other axes, then scales and
    /// shifts it (Ioffe and Szegedy, 2015): batch norm in training. At least two rows.
    public func batchNorm(weight: Tensor, bias: Tensor, epsilon: Float) -> BatchNormResult {
        let rows = count / shape[-1]
        precondition(rows > 1, "batch norm in training of \(shape), expected more than one row")
        let (output, mean, variance) = Kernels.batchNorm(self, weight: weight, bias: bias, epsilon: epsilon)
        let (input, scale) = (detached, weight.detached)
        let recorded = output.recorded(from: [self, weight, bias]) { gradient in
            Kernels.batchNormBackward(
                gradient, input, weight: scale, mean: mean, variance: variance, epsilon: epsilon)
        }
        return BatchNormResult(output: recorded, mean: mean, variance: variance, rows: rows)
    }

    /// The same by fixed statistics: batch norm in inference.
    public func batchNorm(weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: Float) -> Tensor {
        (self - mean) * (weight * variance.reciprocalSquareRoot(adding: epsilon)) + bias
    }

    /// 1 / √(x + ε) of each element.
    public func reciprocalSquareRoot(adding epsilon: Float) -> Tensor {
        let output = Kernels.map(self) { 1 / ($0 + epsilon).squareRoot() }
        return output.recorded(from: [self]) { gradient in
            [Kernels.zip(gradient, output) { -0.5 * $0 * $1 * $1 * $1 }]
        }
    }
}

extension Tensor {
    /// Normalises the innermost axis to mean 0 and variance 1, then scales and shifts it (Ba et al., 2016).
    ///
    /// - Parameters:
    ///   - weight: [D], the scale.
    ///   - bias: [D], the shift.
    ///   - epsilon: added to the variance.
    public func layerNorm(weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
        precondition(
            weight.shape == [shape[-1]] && bias.shape == weight.shape,
            "layer norm of \(shape) with weight \(weight.shape), bias \(bias.shape)")
        guard isTracked || weight.isTracked || bias.isTracked else {
            return Kernels.layerNorm(self, weight: weight, bias: bias, epsilon: epsilon)
        }
        let (input, scale) = (detached, weight.detached)
        let result = Kernels.layerNormKeepingStatistics(self, weight: weight, bias: bias, epsilon: epsilon)
        let (mean, variance) = (result.mean, result.variance)
        return result.output.recorded(from: [self, weight, bias]) { gradient in
            Kernels.layerNormBackward(
                input, weight: scale, mean: mean, variance: variance, gradient: gradient, epsilon: epsilon)
        }
    }
}
