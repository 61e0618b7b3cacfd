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
