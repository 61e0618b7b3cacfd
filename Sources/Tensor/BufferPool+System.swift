import Foundation

extension BufferPool {
    /// Drains the pool, and has the C library give back what it keeps too: oneDNN's packed weights are its own, and its
    /// freed pages lie between those still in use. glibc's `malloc_trim` is looked up, for other libraries lack it.
    public func drainToSystem() {
        drain()
        guard let symbol = dlsym(nil, "malloc_trim") else { return }
        _ = unsafeBitCast(symbol, to: (@convention(c) (Int) -> Int32).self)(0)
    }
}
