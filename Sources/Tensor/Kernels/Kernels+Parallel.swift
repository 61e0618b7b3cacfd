import CKernels

extension Kernels {
    /// Calls `body` with ranges that cover 0..<count: one, if `unit` indices times that many would not pay for a second
    /// thread, otherwise pieces that run at the same time.
    ///
    /// - Parameter unit: about how many elements an index stands for.
    static func parallel(_ count: Int, unit: Int = 1, _ body: (Range<Int>) -> Void) {
        let piece = max(1, (1 << 15) / max(unit, 1))
        guard count > 2 * piece else { return body(0..<count) }
        // The body does not escape: `ck_parallel` returns when all pieces are done. That pieces run at the same time is its
        // callers' business: they write disjoint elements.
        withoutActuallyEscaping(body) { body in
            var context = ParallelContext(body: body, count: count, piece: piece)
            withUnsafeMutablePointer(to: &context) { pointer in
                ck_parallel(
                    Int64((count + piece - 1) / piece),
                    { pointer, index in
                        pointer?.assumingMemoryBound(to: ParallelContext.self).pointee.run(Int(index))
                    }, pointer)
            }
        }
    }
}

private struct ParallelContext {
    let body: (Range<Int>) -> Void
    let count: Int
    let piece: Int

    func run(_ index: Int) {
        let start = index * piece
        body(start..<min(start + piece, count))
    }
}

extension Tensor {
    /// Makes a tensor whose elements `writing` writes, every one of them, in ranges that may run at the same time.
    package init(shape: Shape, writing: (UnsafeMutableBufferPointer<Float>, Range<Int>) -> Void) {
        self.init(shape: shape) { elements in Kernels.parallel(elements.count) { writing(elements, $0) } }
    }
}
