import Dispatch
import Imaging
import Inference
import Randomness
import Synchronization
import Tensor
import Testing
import Threads

@Suite("Requests computed together")
struct BatcherTests {
    /// A triple of noise, without some of its images.
    private func triple(_ seed: Int, _ modalities: [Modality], _ input: ModelConfiguration.Input) -> [Modality: Image] {
        var generator = SplitMix64(seed: UInt64(seed))
        return Dictionary(
            uniqueKeysWithValues: modalities.map { modality in
                let pixels = (0..<(input.width * input.height * 3)).map { _ in UInt8(generator.index(below: 256)) }
                return (modality, Image(width: input.width, height: input.height, channels: 3, pixels: pixels))
            })
    }

    @Test("each gets what it would get alone, whatever it was computed with; one that was given up disturbs none")
    func together() async throws {
        let fixture = try GraFTFixture()
        let thread = ComputeThread(name: "batcher test")
        let encoder = try MultimodalEncoder(
            configuration: fixture.configuration, weights: fixture.weights, model: "m", compute: thread)
        let triples = (0..<21).map {
            triple($0, GraFTFixture.subsets[$0 % 3 == 0 ? 6 : $0 % 2], fixture.configuration.input)
        }
        var alone: [Embedding] = []
        for images in triples { alone.append(try await encoder.embed(images)) }
        // All of them wait, then the thread is free.
        let gate = DispatchSemaphore(value: 0)
        async let busy: Void = thread.run { gate.wait() }
        let tasks = triples.map { images in Task { try await encoder.embed(images) } }
        while thread.depth < triples.count { try await Task.sleep(for: .milliseconds(1)) }
        tasks[4].cancel()
        gate.signal()
        try await busy
        for (index, task) in tasks.enumerated() where index != 4 {
            let found = try await task.value
            #expect(found.modalities == alone[index].modalities)
            for (modality, vector) in found.vectors {
                let difference = zip(vector, alone[index].vectors[modality] ?? []).map { abs($0 - $1) }.max() ?? 1
                #expect(difference < 1e-5, "triple \(index), \(modality): \(difference)")
            }
        }
        await #expect(throws: CancellationError.self) { try await tasks[4].value }
    }

    /// How many were computed together, batch by batch.
    private final class Sizes: Sendable {
        private let found = Mutex<[Int]>([])
        var all: [Int] { found.withLock { $0 } }
        func add(_ size: Int) { found.withLock { $0.append(size) } }
    }

    /// An encoder that waits for requests on their way for so long, and what it computes together.
    private func waiting(_ wait: Duration) throws -> (encoder: MultimodalEncoder, image: Image, sizes: Sizes) {
        let (fixture, sizes) = (try GraFTFixture(), Sizes())
        var batching = Batching()
        batching.wait = wait
        batching.observe = { sizes.add($0.count) }
        let encoder = try MultimodalEncoder(
            configuration: fixture.configuration, weights: fixture.weights, model: "m",
            compute: ComputeThread(name: "batcher test"), batching: batching)
        return (encoder, try #require(triple(0, [.rgb], fixture.configuration.input)[.rgb]), sizes)
    }

    private struct Undecodable: Error {}

    /// A request that is expected already, and comes once the stream is finished; without an image it fails then.
    private func onItsWay(
        _ encoder: MultimodalEncoder, _ image: Image?
    ) async -> (Task<Void, any Error>, AsyncStream<Void>.Continuation) {
        let (opening, open) = AsyncStream.makeStream(of: Void.self)
        let (arrivals, arrived) = AsyncStream.makeStream(of: Void.self)
        let late = Task {
            try await encoder.expecting([.rgb]) {
                arrived.yield()
                for await _ in opening {}
                guard let image else { throw Undecodable() }
                _ = try await encoder.embed([.rgb: image])
            }
        }
        for await _ in arrivals.prefix(1) {}
        return (late, open)
    }

    @Test("what is on its way is waited for until it comes, or will not come; a lone request waits for nobody")
    func waits() async throws {
        let (encoder, image, sizes) = try waiting(.seconds(3600))
        try await encoder.expecting([.rgb]) { _ = try await encoder.embed([.rgb: image]) }
        #expect(sizes.all == [1])
        for comes in [true, false] {
            let (late, open) = await onItsWay(encoder, comes ? image : nil)
            async let early: Void = encoder.expecting([.rgb]) {
                // Whether it is held already when the other one comes makes no difference.
                open.finish()
                _ = try await encoder.embed([.rgb: image])
            }
            try await early
            _ = await late.result
        }
        #expect(sizes.all == [1, 2, 1])
    }

    @Test("a wait ends by itself")
    func bound() async throws {
        let (encoder, image, sizes) = try waiting(.milliseconds(1))
        let (late, open) = await onItsWay(encoder, image)
        try await encoder.expecting([.rgb]) { _ = try await encoder.embed([.rgb: image]) }
        open.finish()
        try await late.value
        #expect(sizes.all == [1, 1])
    }
}
