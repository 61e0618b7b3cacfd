/// A dense float32 array, row-major, with an optional node of the tape that made it.
///
/// A tensor is a value: no operation changes one that exists. Operations on tensors of which none is tracked leave no
/// trace on the tape. Wrong shapes are programming errors and trap; data from outside is checked before it gets here.
public struct Tensor: Sendable {
    /// The sizes of the axes.
    public let shape: Shape
    let storage: Storage
    let node: Node?

    init(storage: Storage, shape: Shape, node: Node? = nil) {
        self.storage = storage
        self.shape = shape
        self.node = node
    }

    /// Makes a tensor whose elements `initializing` writes, every one of them.
    public init(shape: Shape, initializing: (UnsafeMutableBufferPointer<Float>) throws -> Void) rethrows {
        let storage = Storage(count: shape.count)
        try initializing(storage.elements)
        self.init(storage: storage, shape: shape)
    }

    /// Makes a tensor that lives long, of weights: its memory goes back to the system with the last reference, and is not
    /// kept for activations.
    package init(
        weightsOf shape: Shape, initializing: (UnsafeMutableBufferPointer<Float>) throws -> Void
    ) rethrows {
        let storage = Storage(count: shape.count, from: .weights)
        try initializing(storage.elements)
        self.init(storage: storage, shape: shape)
    }

    /// Makes a tensor from its elements in row-major order; there must be `shape.count` of them.
    public init(_ scalars: [Float], shape: Shape) {
        precondition(scalars.count == shape.count, "\(scalars.count) elements for a tensor of shape \(shape)")
        self.init(shape: shape) { _ = $0.initialize(from: scalars) }
    }

    /// Makes a tensor whose elements all have one value.
    public init(repeating value: Float, shape: Shape) {
        self.init(shape: shape) { $0.initialize(repeating: value) }
    }

    /// Makes a scalar: a tensor without axes.
    public init(_ scalar: Float) { self.init(repeating: scalar, shape: []) }

    /// A tensor of zeros.
    public static func zeros(_ shape: Shape) -> Tensor { Tensor(repeating: 0, shape: shape) }

    /// The number of elements.
    public var count: Int { shape.count }

    /// A copy of the elements in row-major order.
    public var scalars: [Float] { withUnsafeScalars { Array($0) } }

    /// The only element of a tensor that has one.
    public var scalar: Float {
        precondition(count == 1, "a scalar of a tensor of shape \(shape)")
        return storage.elements[0]
    }

    /// Lends the elements, in row-major order, for the duration of `body`.
    public func withUnsafeScalars<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
        // The storage must outlive the call: nothing else need hold it by then.
        try withExtendedLifetime(storage) { try body(UnsafeBufferPointer($0.elements)) }
    }

    /// Whether no element is infinite or not a number.
    public var isFinite: Bool {
        // A sum of zeros times x is NaN exactly if some x is not finite, and has no branch.
        withUnsafeScalars { $0.reduce(0) { $0 + $1 * 0 } == 0 }
    }

    /// Whether operations on this tensor are recorded.
    public var isTracked: Bool { node != nil }

    /// The same elements, off the tape.
    public var detached: Tensor { Tensor(storage: storage, shape: shape) }

    /// The same elements as a parameter: a leaf of the tape, whose gradient is returned under `path`. From
    /// the first one on, the pool of tensors' buffers reuses exact sizes only: the tape will hold many of them.
    public func tracked(as path: String) -> Tensor {
        BufferPool.shared.reuseExactSizes()
        return Tensor(storage: storage, shape: shape, node: Node(parameter: path))
    }

    /// The same elements under another shape of the same count.
    public func reshaped(_ shape: Shape) -> Tensor {
        precondition(shape.count == count, "reshaping \(self.shape) to \(shape)")
        let original = self.shape
        return Tensor(storage: storage, shape: shape).recorded(from: [self]) { [$0.reshaped(original)] }
    }
}

/// The memory behind a tensor: float32s, 64-byte aligned, from the pool and back to it.
///
/// Unchecked: the elements are written only while a tensor is being made, before any other reference to the storage
/// exists, and are never written again.
final class Storage: @unchecked Sendable {
    let elements: UnsafeMutableBufferPointer<Float>
    private let block: BufferPool.Block
    private let pool: BufferPool

    /// Uninitialised memory for `count` elements.
    init(count: Int, from pool: BufferPool = .shared) {
        self.pool = pool
        block = pool.take(bytes: count * MemoryLayout<Float>.stride)
        elements = UnsafeMutableBufferPointer(
            start: block.address.assumingMemoryBound(to: Float.self), count: count)
    }

    deinit { pool.give(block) }
}
