import Foundation
import Inference
import Tensor

/// How much faster one encoder is than another, measured side by side: the two take turns, so that what else the machine
/// does falls on both, and medians leave out what falls on one.
public struct ThroughputComparison: Sendable, Codable, Equatable {
    /// Triples in a batch.
    public let batch: Int
    /// Triples a second of the first encoder: the median over its turns.
    public let reference: Double
    /// Triples a second of the second.
    public let candidate: Double
    /// How many times as fast the second is: the median over the rounds, in which each has one turn.
    public let speedup: Double

    /// Seconds that a turn takes at least: a shorter one would measure the clock and the scheduler.
    private static let turn = 0.05

    /// Measures two encoders on batches of noise. Blocks: call it on a compute thread. Throws what encoding throws.
    ///
    /// - Parameters:
    ///   - reference: such as the dense model.
    ///   - candidate: such as the pruned one.
    ///   - batch: triples encoded at a time.
    ///   - rounds: how often each of them has its turn.
    public init(_ reference: MultimodalEncoder, _ candidate: MultimodalEncoder, batch: Int, rounds: Int = 11) throws {
        let inputs = [reference, candidate].map { Self.noise($0.configuration, batch: batch) }
        let seconds = { (index: Int, runs: Int) in
            let start = DispatchTime.now().uptimeNanoseconds
            for _ in 0..<runs { _ = try [reference, candidate][index].embed(batch: inputs[index]) }
            return Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9 / Double(runs)
        }
        // In its first run oneDNN generates an encoder's code; the second says how many runs make a turn.
        let runs = try [0, 1].map { index in
            _ = try seconds(index, 1)
            return max(1, Int(Self.turn / (try seconds(index, 1))))
        }
        let turns = try (0..<rounds).map { _ in (try seconds(0, runs[0]), try seconds(1, runs[1])) }
        self.batch = batch
        self.reference = Double(batch) / Self.median(turns.map(\.0))
        self.candidate = Double(batch) / Self.median(turns.map(\.1))
        speedup = Self.median(turns.map { $0 / $1 })
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func noise(_ configuration: ModelConfiguration, batch: Int) -> [Modality: Tensor] {
        let shape: Shape = [batch, configuration.input.height, configuration.input.width, 3]
        let pixels = Tensor((0..<shape.count).map { Float($0 * 7919 % 256) / 128 - 1 }, shape: shape)
        return Dictionary(uniqueKeysWithValues: configuration.modalities.map { ($0, pixels) })
    }
}
