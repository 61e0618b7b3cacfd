import COneDNN

extension Kernels {
    /// What a layer norm's backward pass needs: the result, and each row's mean and biased variance.
    struct Normalised {
        let output: Tensor
        let mean: Tensor
        let variance: Tensor
    }

    static func layerNormKeepingStatistics(
        _ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float
    ) -> Normalised {
        let (rows, columns) = x.shape.matrix
        let mean = Storage(count: Int(rows))
        let variance = Storage(count: Int(rows))
        let output = read(x) { x_ in
            read(weight) { scale in
                read(bias) { shift in
                    make(x.shape) { y in
                        check(
                            cdnn_layer_norm(
                                rows, columns, epsilon, x_, scale, shift, mean.elements.baseAddress,
                                variance.elements.baseAddress, y), "layer norm of \(x.shape)")
                    }
                }
            }
        }
        return Normalised(
            output: output, mean: Tensor(storage: mean, shape: [Int(rows)]),
            variance: Tensor(storage: variance, shape: [Int(rows)]))
    }

    /// Gradients with respect to x, weight and bias.
    static func layerNormBackward(
        _ x: Tensor, weight: Tensor, mean: Tensor, variance: Tensor, gradient: Tensor, epsilon: Float
    ) -> [Tensor] {
        let (rows, columns) = x.shape.matrix
        let scaleGradient = Storage(count: Int(columns))
        let shiftGradient = Storage(count: Int(columns))
        let statistics = (mean.storage.elements.baseAddress, variance.storage.elements.baseAddress)
        let input = read(x) { x_ in
            read(weight) { scale in
                read(gradient) { dy in
                    make(x.shape) { dx in
                        check(
                            cdnn_layer_norm_backward(
                                rows, columns, epsilon, x_, scale, statistics.0, statistics.1, dy, dx,
                                scaleGradient.elements.baseAddress, shiftGradient.elements.baseAddress),
                            "layer norm backward of \(x.shape)")
                    }
                }
            }
        }
        return [
            input, Tensor(storage: scaleGradient, shape: weight.shape),
            Tensor(storage: shiftGradient, shape: weight.shape),
        ]
    }
}
