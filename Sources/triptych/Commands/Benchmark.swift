import ArgumentParser
import Foundation
import Inference
import Randomness
import Tensor

/// `triptych benchmark`.
struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures how long a model takes to encode triples.",
        discussion: """
            Encodes noise of the model's size, in memory: no decoding, no resizing, no HTTP. Half a second of warm-up comes \
            first. The spread is the distance between the quartiles.
            """)

    @Option(help: "The model.")
    var checkpoint: String
    @Option(help: "Triples encoded at a time.")
    var batch = 1
    @Option(help: "How often.")
    var runs = 20
    @Option(help: "Cores to use (default: as many as OpenMP takes).")
    var threads: Int?
    @Flag(help: "Print the figures as JSON.")
    var json = false

    private struct Figures: Encodable {
        let model: String
        let batch: Int
        let runs: Int
        let loadSeconds: Double
        let medianMs: Double
        let minimumMs: Double
        let spreadMs: Double
        let triplesPerSecond: Double
        let peakMegabytes: Double
    }

    func validate() throws {
        guard (1...4096).contains(batch), (1...1_000_000).contains(runs), (1...1024).contains(threads ?? 1) else {
            throw ValidationError("expected --batch 1 to 4096, --runs 1 to 1000000, --threads 1 to 1024")
        }
    }

    func run() async throws {
        if let threads { try await ComputeThread.shared.useCores(threads) }
        let begin = ContinuousClock.now
        let encoder = try MultimodalEncoder(consuming: Checkpoint.load(path: checkpoint))
        let loading = begin.duration(to: .now)
        let times = try await ComputeThread.shared.run { try measured(encoder) }.sorted()
        let median = times[times.count / 2]
        let figures = Figures(
            model: encoder.model, batch: batch, runs: runs, loadSeconds: loading.seconds, medianMs: median * 1e3,
            minimumMs: times[0] * 1e3, spreadMs: (times[times.count * 3 / 4] - times[times.count / 4]) * 1e3,
            triplesPerSecond: Double(batch) / median, peakMegabytes: Self.peakMegabytes)
        if json { return try Output.json(figures) }
        print(
            String(
                format: "%d triple(s): median %.2f ms, minimum %.2f ms, spread %.2f ms, %.1f triples/s", batch,
                figures.medianMs, figures.minimumMs, figures.spreadMs, figures.triplesPerSecond))
        print(String(format: "loaded in %.2f s, peak memory %.0f MB", figures.loadSeconds, figures.peakMegabytes))
    }

    /// Seconds of each run.
    private func measured(_ encoder: MultimodalEncoder) throws -> [Double] {
        let input = encoder.configuration.input
        var generator = SplitMix64(seed: 1)
        let images = Dictionary(
            uniqueKeysWithValues: encoder.modalities.map { modality in
                let shape: Shape = [batch, input.height, input.width, 3]
                return (modality, Tensor((0..<shape.count).map { _ in generator.uniform(-1...1) }, shape: shape))
            })
        func once() throws -> Double {
            let start = ContinuousClock.now
            _ = try encoder.embed(batch: images)
            return start.duration(to: .now).seconds
        }
        let warm = ContinuousClock.now
        repeat { _ = try once() } while warm.duration(to: .now) < .milliseconds(500)
        return try (0..<runs).map { _ in try once() }
    }

    /// From /proc; 0 on systems without it.
    private static var peakMegabytes: Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let kilobytes = status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Double($0.output.1) }
        return (kilobytes ?? 0) / 1000
    }
}

extension Duration {
    /// In seconds.
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
