import Foundation

extension ComputeThread {
    /// Bounds how many cores arithmetic on this thread uses. OpenMP keeps the number for each calling thread, and is looked
    /// up in the process: which library it comes from is oneDNN's choice.
    /// - Returns: false if there is no OpenMP; then nothing has changed.
    @discardableResult
    public func useCores(_ count: Int) async throws -> Bool {
        try await run {
            guard let symbol = dlsym(nil, "omp_set_num_threads") else { return false }
            unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(Int32(count))
            return true
        }
    }
}
