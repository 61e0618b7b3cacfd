/// The arithmetic on memory. Only the files of this folder touch pointers: everything above them sees tensors.
///
/// Kernels know nothing of the tape; their arguments' shapes have been checked by the operation that calls them.
enum Kernels {
    /// A tensor whose elements `body` writes, every one of them.
    @inline(__always)
    static func make(_ shape: Shape, _ body: (UnsafeMutablePointer<Float>) -> Void) -> Tensor {
        let storage = Storage(count: shape.count)
        if let start = storage.elements.baseAddress { body(start) }
        return Tensor(storage: storage, shape: shape)
    }

    /// Lends a tensor's elements.
    @inline(__always)
    static func read<R>(_ tensor: Tensor, _ body: (UnsafePointer<Float>) -> R) -> R {
        tensor.withUnsafeScalars { elements in
            guard let start = elements.baseAddress else { preconditionFailure("storage always has memory") }
            return body(start)
        }
    }
}
