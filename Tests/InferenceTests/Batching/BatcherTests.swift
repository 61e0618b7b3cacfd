import Dispatch
import Imaging
import Inference
import Randomness
import Tensor
import Testing

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
        var alone: [[Embedding]] = []
        for images in triples { alone.append(try await encoder.embedSubsets(images)) }
        // All of them wait, then the thread is free.
        let gate = DispatchSemaphore(value: 0)
        async let busy: Void = thread.run { gate.wait() }
        let tasks = triples.map { images in Task { try await encoder.embedSubsets(images) } }
        while thread.depth < triples.count { try await Task.sleep(for: .milliseconds(1)) }
        tasks[4].cancel()
        gate.signal()
        try await busy
        for (index, task) in tasks.enumerated() where index != 4 {
            let found = try await task.value
            #expect(found.map(\.modalities) == alone[index].map(\.modalities))
            for (a, b) in zip(found, alone[index]) {
                let difference = zip(a.values, b.values).map { abs($0 - $1) }.max() ?? 1
                #expect(difference < 1e-6, "triple \(index): \(difference)")
            }
        }
        await #expect(throws: CancellationError.self) { try await tasks[4].value }
    }
}
