import COneDNN

extension Kernels {
    /// Each column of a [rows, channels] matrix normalised by its own statistics, scaled and shifted.
    static func batchNorm(
        _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float
    ) -> (output: Tensor, mean: Tensor, variance: Tensor) {
        let (rows, channels) = x.shape.matrix
        let mean = Storage(count: Int(channels)), variance = Storage(count: Int(channels))
        let output = read(x) { x_ in
            read(weight) { weight_ in
                read(bias) { bias_ in
                    make(x.shape) { y in
                        let status = cdnn_batch_norm(
                            rows, channels, epsilon, x_, weight_, bias_, mean.elements.baseAddress,
                            variance.elements.baseAddress, y)
                        check(status, "batch norm of \(x.shape)")
                    }
                }
            }
        }
        let statistics = [mean, variance].map { Tensor(storage: $0, shape: [Int(channels)]) }
        return (output, statistics[0], statistics[1])
    }

    /// The gradients with respect to x, weight and bias.
    static func batchNormBackward(
        _ gradient: Tensor, _ x: Tensor, weight: Tensor, mean: Tensor, variance: Tensor, epsilon: Float
    ) -> [Tensor] {
        let (rows, channels) = x.shape.matrix
        let scale = Storage(count: Int(channels)), shift = Storage(count: Int(channels))
        let input = withExtendedLifetime((x, weight, mean, variance, gradient)) {
            make(x.shape) { dx in
                let status = cdnn_batch_norm_backward(
                    rows, channels, epsilon, x.storage.elements.baseAddress, weight.storage.elements.baseAddress,
                    mean.storage.elements.baseAddress, variance.storage.elements.baseAddress,
                    gradient.storage.elements.baseAddress, dx, scale.elements.baseAddress, shift.elements.baseAddress)
                check(status, "batch norm backward of \(x.shape)")
            }
        }
        return [input] + [scale, shift].map { Tensor(storage: $0, shape: [Int(channels)]) }
    }
}
