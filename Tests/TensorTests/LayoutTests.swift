import Dispatch
import Tensor
import Testing
import Threads

@Suite("Layout, gathering and the tape")
struct LayoutTests {
    private let a = sample([2, 3, 4], seed: 1)

    @Test("slices and concatenations are inverse, along every axis", arguments: 0..<3)
    func slicing(axis: Int) {
        let size = a.shape[axis]
        let parts = [a.sliced(axis: axis, 0..<1), a.sliced(axis: axis, 1..<size)]
        #expect(Tensor.concatenated(parts, axis: axis).scalars == a.scalars)
        checkGradients([a]) { $0[0].sliced(axis: axis, 1..<size) }
        checkGradients([a, sample(a.shape, seed: 2)]) { Tensor.concatenated($0, axis: axis) }
    }

    @Test("transposition moves axes and has its inverse as gradient")
    func transposition() {
        let x = Tensor([1, 2, 3, 4, 5, 6], shape: [1, 2, 3])
        #expect(x.transposed([2, 0, 1]).shape == [3, 1, 2])
        #expect(x.transposed([2, 0, 1]).scalars == [1, 4, 2, 5, 3, 6])
        checkGradients([a]) { $0[0].transposed([1, 2, 0]) }
        checkGradients([a]) { $0[0].reshaped([4, 6]) }
    }

    @Test("rows and picks gather, their gradients scatter and add up")
    func gathering() {
        let table = Tensor([1, 2, 3, 4, 5, 6], shape: [3, 2])
        #expect(table.rows(at: [2, 0, 2]).scalars == [5, 6, 1, 2, 5, 6])
        #expect(table.picked(at: [1, 0, 1]).scalars == [2, 3, 6])
        checkGradients([table]) { $0[0].rows(at: [2, 0, 2]) }
        checkGradients([table]) { $0[0].picked(at: [1, 0, 1]) }
    }

    @Test("patches come in the order of a convolution's weights and may overlap")
    func patches() {
        let image = Tensor((0..<24).map(Float.init), shape: [1, 4, 3, 2])
        let found = image.patches(size: 2, stride: 1)
        #expect(found.shape == [1, 6, 8])
        #expect(Array(found.scalars[..<8]) == [0, 2, 6, 8, 1, 3, 7, 9])
        #expect(Array(found.scalars[40...]) == [14, 16, 20, 22, 15, 17, 21, 23])
        #expect(image.patches(size: 2, stride: 2).shape == [1, 2, 8])
    }

    @Test("a parameter used twice gets the sum of its gradients")
    func accumulation() {
        let x = Tensor([3], shape: [1])
        let (first, second) = (x.tracked(as: "x"), x.tracked(as: "x"))
        #expect(gradients(of: (first * second + first).sum())["x"]?.scalars == [7])
    }

    @Test("nothing is recorded for untracked arguments, and detaching ends the tape")
    func untracked() {
        #expect(!(a + a).isTracked)
        #expect(gradients(of: a.sum()).isEmpty)
        let x = a.tracked(as: "x")
        #expect(gradients(of: (x.detached * a).sum()).isEmpty)
        #expect(gradients(of: (x * x.detached).sum())["x"]?.scalars == a.scalars)
    }

    @Test("a tape ten thousand operations long is differentiated and freed")
    func depth() async throws {
        let slope = try await ComputeThread.shared.run { () -> Float? in
            var value = Tensor([1], shape: [1]).tracked(as: "x")
            for _ in 0..<10_000 { value = value.adding(1) }
            return gradients(of: value.sum())["x"]?.scalar
        }
        #expect(slope == 1)
    }

    @Test("finiteness sees infinities and NaN anywhere")
    func finiteness() {
        #expect(a.isFinite)
        #expect(!Tensor([0, .infinity], shape: [2]).isFinite)
        #expect(!Tensor([.nan, 0, 1], shape: [3]).isFinite)
    }

    @Test("released buffers are reused, up to the pool's limit")
    func pooling() {
        // A pool of its own: other tests use the shared one at the same time.
        let pool = BufferPool(retaining: 3000)
        for _ in 0..<5 { pool.give(pool.take(bytes: 2000)) }
        #expect(pool.statistics == BufferPool.Statistics(live: 0, retained: 2048, allocations: 1))
        let blocks = [pool.take(bytes: 2000), pool.take(bytes: 2000)]
        #expect(pool.statistics == BufferPool.Statistics(live: 4096, retained: 0, allocations: 2))
        for block in blocks { pool.give(block) }
        #expect(pool.statistics == BufferPool.Statistics(live: 0, retained: 2048, allocations: 2))
        pool.drain()
        #expect(pool.statistics.retained == 0)
    }

    @Test("a free buffer up to four times too large is used, the smallest that fits; a larger one is not")
    func poolingOfOthersSizes() {
        let pool = BufferPool(retaining: 1 << 20)
        for block in [16384, 4096, 8192].map({ pool.take(bytes: $0) }) { pool.give(block) }
        #expect([4000, 2500, 2500].map { pool.take(bytes: $0).bytes } == [4096, 8192, 2560])
        #expect(pool.statistics == BufferPool.Statistics(live: 14848, retained: 16384, allocations: 4))
        pool.reuseExactSizes()
        #expect(pool.take(bytes: 16000).bytes == 16384 && pool.take(bytes: 4096).bytes == 4096)
        #expect(pool.statistics.allocations == 5)
    }

    @Test("errors thrown on the compute thread reach the caller")
    func throwing() async {
        struct Failure: Error {}
        await #expect(throws: Failure.self) { try await ComputeThread.shared.run { throw Failure() } }
    }

    @Test("a cancelled caller is told at once, and its work is never begun")
    func cancellation() async throws {
        let thread = ComputeThread(name: "test")
        let gate = DispatchSemaphore(value: 0)
        async let busy: Void = thread.run { gate.wait() }
        let waiting = Task { try await thread.run { Issue.record("cancelled work has begun") } }
        while thread.depth == 0 { await Task.yield() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        gate.signal()
        try await busy
        #expect(try await thread.run { 7 } == 7)
    }
}
