import CKernels

extension Kernels {
    /// Weights and bias in panels, as `product` reads them.
    static func packed(
        _ weight: Tensor, _ steps: ck_weight_steps, bias: Tensor?, _ windows: ck_windows, outputs: Int
    ) -> Storage {
        var windows = windows
        let depth = windows.tap_rows * windows.tap_columns * windows.run
        return packed(count: Int(ck_packed_count(Int64(outputs), depth)), weight, bias: bias) { weight, bias, target in
            ck_pack(weight, steps, bias, &windows, Int64(outputs), target)
        }
    }

    /// Memory of its own for packed weights, which `body` fills.
    static func packed(
        count: Int, _ weight: Tensor, bias: Tensor?,
        _ body: (UnsafePointer<Float>, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?) -> Void
    ) -> Storage {
        let storage = Storage(count: count, from: .weights)
        read(weight) { weight in
            withExtendedLifetime(bias) {
                body(
                    weight, bias.flatMap { UnsafePointer($0.storage.elements.baseAddress) },
                    storage.elements.baseAddress)
            }
        }
        return storage
    }

    /// activation(windows(x) · packed + residual), see `ck_product`.
    static func product(
        _ windows: ck_windows, _ x: Tensor, _ packed: Storage, outputs: Int, residual: Tensor?, activation: Activation,
        into shape: Shape
    ) -> Tensor {
        var windows = windows
        let needed = Int(ck_product_scratch(&windows, Int64(outputs)))
        let scratch = needed > 0 ? Storage(count: needed) : nil
        return read(x) { x_ in
            make(shape) { y in
                withExtendedLifetime((residual, packed, scratch)) {
                    ck_product(
                        &windows, Int64(outputs), x_, packed.elements.baseAddress,
                        residual?.storage.elements.baseAddress, activation.kernel, scratch?.elements.baseAddress, y)
                }
            }
        }
    }

    /// Images [B, H, W, C] with an edge of zeros.
    static func padded(_ x: Tensor, by padding: Int) -> Tensor {
        let (height, width) = (x.shape[1], x.shape[2])
        return read(x) { x_ in
            make([x.shape[0], height + 2 * padding, width + 2 * padding, x.shape[3]]) { y in
                ck_pad(
                    Int64(x.shape[0]), Int64(height), Int64(width), Int64(x.shape[3]), Int64(padding), x_, y)
            }
        }
    }
}

extension Activation {
    var kernel: ck_activation {
        switch self {
        case .identity: ck_identity
        case .relu: ck_relu
        case .gelu: ck_gelu
        case .quickGELU: ck_quick_gelu
        }
    }
}
