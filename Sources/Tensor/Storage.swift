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
