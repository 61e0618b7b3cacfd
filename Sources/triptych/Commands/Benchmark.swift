import ArgumentParser
import Documents
import Foundation
import Inference
import Randomness
import Tensor
import Threads

/// `triptych benchmark`.
struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures encoding, or searching, on this machine.",
        subcommands: [EncodingBenchmark.self, SearchBenchmark.self], defaultSubcommand: EncodingBenchmark.self)
}

/// `triptych benchmark encode`.
struct EncodingBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Measures how long a model takes to encode triples, or to learn from them.",
        discussion: """
            Encodes noise of the model's size, in memory: no decoding, no resizing, no HTTP. Half a second of warm-up comes \
            first. The spread is the distance between the quartiles.

            With --training each run is a step: forward, cross-entropy and triplet loss, backward, AdamW. It takes the \
            model's configuration and weights, and identities in pairs.

            With --interactive it answers lines of standard input, each a number of runs, with a line of JSON each: \
            {"milliseconds": […], "peak_megabytes": …}. Whoever compares several programs can so let them take turns.
            """)

    @Option(help: "The model.")
    var checkpoint: String
    @Option(help: "Triples encoded at a time.")
    var batch = 1
    @Option(help: "How often.")
    var runs = 20
    @Option(help: "Cores to use (default: as many as OpenMP takes).")
    var threads: Int?
    @Flag(help: "Measure training steps.")
    var training = false
    @Flag(help: "Run as often as each line of standard input says, until it ends.")
    var interactive = false
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
        /// Buffers that the measured runs had to ask the system for.
        let allocations: Int
    }

    func validate() throws {
        guard (1...4096).contains(batch), (1...1_000_000).contains(runs), (1...1024).contains(threads ?? 1) else {
            throw ValidationError("expected --batch 1 to 4096, --runs 1 to 1000000, --threads 1 to 1024")
        }
        guard !training || (batch.isMultiple(of: 2) && batch >= 4) else {
            throw ValidationError("expected an even --batch of at least 4 with --training: identities come in pairs")
        }
    }

    func run() async throws {
        if let threads { try await ComputeThread.shared.useCores(threads) }
        // Everything on one thread: it owns OpenMP's team, and nobody else waits for it.
        try await ComputeThread.shared.run { try measure() }
    }

    private func measure() throws {
        let begin = ContinuousClock.now
        var workload: any BenchmarkWorkload =
            training
            ? try TrainingWorkload(Checkpoint.load(path: checkpoint), batch: batch)
            : try EncodingWorkload(Checkpoint.load(path: checkpoint), batch: batch)
        let loading = begin.duration(to: .now)
        let warm = ContinuousClock.now
        repeat { _ = try workload.timed() } while warm.duration(to: .now) < .milliseconds(500)
        if interactive { return try answerLines(&workload) }
        let allocated = BufferPool.shared.statistics.allocations
        let times = try (0..<runs).map { _ in try workload.timed() }.sorted()
        let allocations = BufferPool.shared.statistics.allocations - allocated
        try report(times, loading: loading.seconds, model: workload.model, allocations: allocations)
    }

    private func answerLines(_ workload: inout any BenchmarkWorkload) throws {
        while let line = readLine() {
            guard let count = Int(line), (0...1_000_000).contains(count) else {
                throw ValidationError("expected a number of runs from 0 to 1000000, found '\(line.prefix(100))'")
            }
            let times = try (0..<count).map { _ in JSONValue.number(try workload.timed() * 1e3) }
            let answer = Output.text(
                .object(["milliseconds": .array(times), "peak_megabytes": .number(Self.peakMegabytes)]))
            // Not `print`, which keeps a line back while nobody's terminal is at the other end.
            try FileHandle.standardOutput.write(contentsOf: Data("\(answer)\n".utf8))
        }
    }

    private func report(_ times: [Double], loading: Double, model: String, allocations: Int) throws {
        let median = times[times.count / 2]
        let figures = Figures(
            model: model, batch: batch, runs: runs, loadSeconds: loading, medianMs: median * 1e3,
            minimumMs: times[0] * 1e3, spreadMs: (times[times.count * 3 / 4] - times[times.count / 4]) * 1e3,
            triplesPerSecond: Double(batch) / median, peakMegabytes: Self.peakMegabytes, allocations: allocations)
        if json { return try Output.json(figures) }
        print(
            String(
                format: "%d triple(s): median %.2f ms, minimum %.2f ms, spread %.2f ms, %.1f triples/s", batch,
                figures.medianMs, figures.minimumMs, figures.spreadMs, figures.triplesPerSecond))
        print(String(format: "loaded in %.2f s, peak memory %.0f MB", figures.loadSeconds, figures.peakMegabytes))
    }

    /// From /proc; 0 on systems without it.
    private static var peakMegabytes: Double {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let kilobytes = status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Double($0.output.1) }
        return (kilobytes ?? 0) / 1000
    }
}

/// What is measured.
protocol BenchmarkWorkload {
    /// The model's digest.
    var model: String { get }
    /// Does it once.
    mutating func once() throws
}

extension BenchmarkWorkload {
    /// Seconds of doing it once.
    fileprivate mutating func timed() throws -> Double {
        let start = ContinuousClock.now
        try once()
        return start.duration(to: .now).seconds
    }
}

/// A batch of triples to their embeddings.
private struct EncodingWorkload: BenchmarkWorkload {
    private let encoder: MultimodalEncoder
    private let images: [Modality: Tensor]
    var model: String { encoder.model }

    init(_ loaded: consuming Checkpoint, batch: Int) throws {
        encoder = try MultimodalEncoder(consuming: loaded)
        images = encoder.configuration.noise(batch: batch)
    }

    func once() throws { _ = try encoder.embed(batch: images) }
}

extension ModelConfiguration {
    /// A batch of standardised images without content, for each modality.
    func noise(batch: Int) -> [Modality: Tensor] {
        var generator = SplitMix64(seed: 1)
        let shape: Shape = [batch, input.height, input.width, 3]
        return Dictionary(
            uniqueKeysWithValues: modalities.map { modality in
                (modality, Tensor((0..<shape.count).map { _ in generator.uniform(-1...1) }, shape: shape))
            })
    }
}

extension Duration {
    /// In seconds.
    fileprivate var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
