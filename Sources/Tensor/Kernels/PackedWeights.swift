import COneDNN

/// A linear layer's weights in the layout that oneDNN's matmul asks for, made once when a model is built.
///
/// Immutable after construction; freed with the last reference.
public final class PackedWeights: @unchecked Sendable {
    // Unchecked: the handle is written once, in `init`, and the library only reads it afterwards.
    private let handle: OpaquePointer
    /// Features out and in.
    public let outputs: Int, inputs: Int

    /// Packs a weight of shape [out, in]. Copies it; O(out·in).
    ///
    /// - Parameter rows: about how many rows the products will have; the best layout may depend on it.
    public init(_ weight: Tensor, rows: Int = 256) {
        precondition(weight.shape.rank == 2, "packing a weight of shape \(weight.shape), expected [out, in]")
        (outputs, inputs) = (weight.shape[0], weight.shape[1])
        var packed: OpaquePointer?
        Kernels.read(weight) { weight_ in
            let status = cdnn_pack(weight_, Int64(weight.shape[0]), Int64(weight.shape[1]), Int64(rows), &packed)
            Kernels.check(status, "packing \(weight.shape)")
        }
        guard let packed else { fatalError("oneDNN packed \(weight.shape) into nothing") }
        handle = packed
    }

    deinit { cdnn_packed_free(handle) }

    /// The memory it takes, in bytes.
    public var bytes: Int { cdnn_packed_bytes(handle) }

    /// activation(x·weightᵀ + bias) + residual, for x of shape [..., in]. Never recorded: packed weights only infer.
    public func multiply(
        _ x: Tensor, bias: Tensor?, activation: Activation = .identity, residual: Tensor? = nil
    ) -> Tensor {
        precondition(x.shape[-1] == inputs, "\(x.shape) times packed weights [\(outputs), \(inputs)]")
        let shape = Shape(x.shape.dimensions.dropLast() + [outputs])
        precondition(residual.map { $0.shape == shape } ?? true, "a residual of another shape than \(shape)")
        let product = Product(
            m: x.count / inputs, n: outputs, k: inputs, a: .rows(of: inputs), b: .rows(of: inputs),
            c: .rows(of: outputs), activation: activation)
        var description = product.described(hasBias: bias != nil, hasResidual: residual != nil)
        return Kernels.read(x) { x_ in
            Kernels.make(shape) { y in
                withExtendedLifetime((bias, residual)) {
                    Kernels.check(
                        cdnn_matmul_run_packed(
                            &description, x_, handle, bias?.storage.elements.baseAddress,
                            residual?.storage.elements.baseAddress, y), "packed product \(product)")
                }
            }
        }
    }
}
