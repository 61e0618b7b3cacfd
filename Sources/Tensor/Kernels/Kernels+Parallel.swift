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

    /// For a tensor [outer, n, inner]: calls `body` with each of `outer` indices and ranges that cover 0..<inner, narrow
    /// enough that many rows of a few hundred columns are shared among threads too.
    @inline(__always)
    static func parallelColumns(_ outer: Int, _ n: Int, _ inner: Int, _ body: (Int, Range<Int>) -> Void) {
        let block = 64
        let blocks = (inner + block - 1) / block
        parallel(outer * blocks, unit: n * min(block, inner)) { indices in
            for index in indices {
                let start = index % blocks * block
                body(index / blocks, start..<min(start + block, inner))
            }
        }
    }

    /// For a tensor [outer, n, inner]: calls `body` with an index below `outer` and each row below outer·n that belongs to it.
    @inline(__always)
    static func parallelRows(_ outer: Int, _ n: Int, _ inner: Int, _ body: (Int, Int) -> Void) {
        parallel(outer * n, unit: inner) { rows in
            var (o, j) = rows.lowerBound.quotientAndRemainder(dividingBy: max(n, 1))
            for row in rows {
                body(o, row)
                j += 1
                if j == n { (o, j) = (o + 1, 0) }
            }
        }
    }
}

extension Tensor {
    /// What `body` makes of each index below `count`, in their order. Whole rounds of the caller's threads run side by side, each
    /// index on one thread from its beginning to its end; what is left over runs after them, on all threads together.
    ///
    /// - Parameter body: records nothing: the order in which gradients are summed would be another each time.
    public static func sideBySide(_ count: Int, _ body: (Int) -> Tensor) -> [Tensor] {
        let workers = Int(ck_workers())
        let together = workers > 1 ? count / workers * workers : 0
        var results = [Tensor?](repeating: nil, count: together)
        results.withUnsafeMutableBufferPointer { results in
            // As in `Kernels.parallel`; each index writes its own element.
            withoutActuallyEscaping(body) { body in
                var context = SideBySide(body: body, results: results)
                withUnsafeMutablePointer(to: &context) { pointer in
                    ck_parallel(
                        Int64(together),
                        { pointer, index in
                            pointer?.assumingMemoryBound(to: SideBySide.self).pointee.run(Int(index))
                        }, pointer)
                }
            }
        }
        return results.compactMap { $0 } + (together..<count).map(body)
    }
}

private struct SideBySide {
    let body: (Int) -> Tensor
    let results: UnsafeMutableBufferPointer<Tensor?>

    func run(_ index: Int) { results[index] = body(index) }
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
