import COneDNN

extension Kernels {
    /// oneDNN refuses only what does not fit in memory or was described wrongly; neither can be mended here.
    static func check(_ status: Int32, _ what: @autoclosure () -> String) {
        guard status == 0 else { fatalError("oneDNN status \(status) from \(what())") }
    }

    static func activate(_ activation: Activation, _ x: Tensor) -> Tensor {
        read(x) { x_ in
            make(x.shape) { y in
                check(cdnn_eltwise(activation.code, Int64(x.count), x_, y), "\(activation) of \(x.shape)")
            }
        }
    }

    static func activateBackward(_ activation: Activation, _ x: Tensor, _ gradient: Tensor) -> Tensor {
        read(x) { x_ in
            read(gradient) { dy in
                make(x.shape) { dx in
                    check(
                        cdnn_eltwise_backward(activation.code, Int64(x.count), x_, dy, dx),
                        "\(activation) backward of \(x.shape)")
                }
            }
        }
    }

    static func softmax(_ x: Tensor, logarithm: Bool) -> Tensor {
        let (rows, columns) = x.shape.matrix
        return read(x) { x_ in
            make(x.shape) { y in check(cdnn_softmax(logarithm, rows, columns, x_, y), "softmax of \(x.shape)") }
        }
    }

    /// From the result y of the forward pass.
    static func softmaxBackward(_ y: Tensor, _ gradient: Tensor, logarithm: Bool) -> Tensor {
        let (rows, columns) = y.shape.matrix
        return read(y) { y_ in
            read(gradient) { dy in
                make(y.shape) { dx in
                    check(
                        cdnn_softmax_backward(logarithm, rows, columns, y_, dy, dx), "softmax backward of \(y.shape)")
                }
            }
        }
    }

    static func layerNorm(_ x: Tensor, weight: Tensor, bias: Tensor, epsilon: Float) -> Tensor {
        let (rows, columns) = x.shape.matrix
        return read(x) { x_ in
            read(weight) { scale in
                read(bias) { shift in
                    make(x.shape) { y in
                        check(
                            cdnn_layer_norm(rows, columns, epsilon, x_, scale, shift, nil, nil, y),
                            "layer norm of \(x.shape)")
                    }
                }
            }
        }
    }
}

extension Activation {
    var code: cdnn_activation {
        switch self {
        case .identity: cdnn_identity
        case .relu: cdnn_relu
        case .gelu: cdnn_gelu
        case .quickGELU: cdnn_quick_gelu
        }
    }
}

extension Shape {
    /// The shape as rows of its innermost axis.
    var matrix: (rows: Int64, columns: Int64) {
        (Int64(dimensions.dropLast().reduce(1, *)), Int64(dimensions.last ?? 1))
    }
}
