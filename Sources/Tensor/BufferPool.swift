import Foundation
import Synchronization

/// Keeps released buffers for reuse: a fresh allocation of an activation's size costs more in page faults than the
/// arithmetic on it.
///
/// Sizes are rounded up to four classes an octave, so that at most a quarter of a new buffer is wasted; one that is reused may
/// be up to four times too large, unless `reuseExactSizes` forbids it. Taking and giving are O(1).
public final class BufferPool: Sendable {
    /// The pool of every tensor in the process.
    public static let shared = BufferPool(retaining: 1 << 30)
    /// The pool of weights, which gives everything back to the system at once: they live as long as a model.
    public static let weights = BufferPool(retaining: 0)

    /// A buffer.
    ///
    /// Unchecked: a block is owned by exactly one storage, or by the pool.
    package struct Block: @unchecked Sendable {
        let address: UnsafeMutableRawPointer
        package let bytes: Int
    }

    /// What the pool has handed out and what it keeps, in bytes, and how often it had to ask the system.
    public struct Statistics: Sendable, Equatable {
        /// Bytes in use by tensors.
        public var live = 0
        /// Bytes kept for reuse.
        public var retained = 0
        /// How many buffers were allocated from the system.
        public var allocations = 0

        package init(live: Int = 0, retained: Int = 0, allocations: Int = 0) {
            (self.live, self.retained, self.allocations) = (live, retained, allocations)
        }
    }

    private struct State {
        var free: [Int: [Block]] = [:]
        var statistics = Statistics()
        /// How many times as large as asked for a reused buffer may be.
        var loosest = 4

        /// The smallest that fits and is not too large. A network's maps get smaller from stage to stage: if each had only
        /// blocks of its own class, the pool would hold the sum of all stages.
        mutating func takeFree(_ size: Int) -> Block? {
            var fit = size
            while fit <= loosest * size {
                if let block = free[fit]?.popLast() { return block }
                fit = BufferPool.sizeClass(of: fit + 1)
            }
            return nil
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    /// Makes a pool that keeps at most `retaining` bytes for reuse.
    package init(retaining limit: Int) { self.limit = limit }

    /// What the pool holds now.
    public var statistics: Statistics { state.withLock { $0.statistics } }

    /// Gives everything kept for reuse back to the system.
    public func drain() {
        let blocks = state.withLock { state in
            let blocks = state.free.values.flatMap { $0 }
            state.free = [:]
            state.statistics.retained = 0
            return blocks
        }
        for block in blocks { Self.release(block) }
    }

    /// From now on only buffers of the size asked for are reused. For a process with a tape: it holds buffers until the
    /// step's end, so that one given to a smaller tensor would be missing where it is needed.
    package func reuseExactSizes() { state.withLock { $0.loosest = 1 } }

    /// A buffer of at least `bytes`, aligned to 64.
    package func take(bytes: Int) -> Block {
        let size = Self.sizeClass(of: bytes)
        let reused = state.withLock { state in
            guard let block = state.takeFree(size) else {
                state.statistics.live += size
                state.statistics.allocations += 1
                return nil as Block?
            }
            state.statistics.live += block.bytes
            state.statistics.retained -= block.bytes
            return block
        }
        return reused ?? allocate(size)
    }

    /// Takes a buffer back, for reuse if there is room for it.
    package func give(_ block: Block) {
        let kept = state.withLock { state -> Bool in
            state.statistics.live -= block.bytes
            guard state.statistics.retained + block.bytes <= limit else { return false }
            state.statistics.retained += block.bytes
            state.free[block.bytes, default: []].append(block)
            return true
        }
        if !kept { Self.release(block) }
    }

    /// From this size on blocks are mapped: the C library would keep large freed blocks for itself.
    private static let mapped = 1 << 20

    private static func release(_ block: Block) {
        if block.bytes >= mapped { munmap(block.address, block.bytes) } else { free(block.address) }
    }

    private func allocate(_ size: Int) -> Block {
        if size >= Self.mapped {
            let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            guard let address, address != MAP_FAILED else { fatalError("out of memory: \(size) bytes for a tensor") }
            #if os(Linux)
                // Products walk through many pages at once: with pages of 2 MB their addresses are found without a search.
                madvise(address, size, MADV_HUGEPAGE)
            #endif
            return Block(address: address, bytes: size)
        }
        var address: UnsafeMutableRawPointer?
        guard posix_memalign(&address, 64, size) == 0, let address else {
            fatalError("out of memory: \(size) bytes for a tensor")
        }
        return Block(address: address, bytes: size)
    }

    /// The smallest class that holds `bytes`: 256 bytes, or a quarter step between two powers of two.
    static func sizeClass(of bytes: Int) -> Int {
        guard bytes > 256 else { return 256 }
        let octave = 1 << (Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount)
        let step = octave / 4
        return (bytes + step - 1) / step * step
    }
}

extension BufferPool {
    /// Drains the pool, and has the C library give back what it keeps too: oneDNN's packed weights are its own, and its
    /// freed pages lie between those still in use. glibc's `malloc_trim` is looked up, for other libraries lack it.
    public func drainToSystem() {
        drain()
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0)
    }
}
