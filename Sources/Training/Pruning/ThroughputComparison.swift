import Foundation
import Inference
import Tensor

/// How much faster one encoder is than another, measured side by side: the two take turns, so that what else the machine
/// does falls on both, and medians leave out what falls on one.
public struct ThroughputComparison: Sendable, Codable, Equatable {
    /// Triples in a batch.
    public let batch: Int
    /// Triples a second of the first encoder.
    public let reference: Double
    /// Triples a second of the second.
    public let candidate: Double
    /// How many times as fast the second is.
    public let speedup: Double

    /// Measures two encoders of the same input on batches of noise. Blocks: call it on a compute thread.
    ///
    /// - Parameters:
    ///   - reference: such as the dense model.
    ///   - candidate: such as the pruned one.
    ///   - batch: triples encoded at a time.
    ///   - rounds: how often each of them has its turn.
    public init(_ reference: MultimodalEncoder, _ candidate: MultimodalEncoder, batch: Int, rounds: Int = 11) throws {
        let inputs = [reference, candidate].map { Self.noise($0.configuration, batch: batch) }
        var seconds: [[Double]] = [[], []]
        for round in 0...rounds {
            for (index, encoder) in [reference, candidate].enumerated() {
                let start = DispatchTime.now().uptimeNanoseconds
                _ = try encoder.embed(batch: inputs[index])
                let elapsed = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
                // In the first round oneDNN generates its code.
                if round > 0 { seconds[index].append(elapsed) }
            }
        }
        let medians = seconds.map { $0.sorted()[$0.count / 2] }
        self.batch = batch
        self.reference = Double(batch) / medians[0]
        self.candidate = Double(batch) / medians[1]
        speedup = medians[0] / medians[1]
    }

    private static func noise(_ configuration: ModelConfiguration, batch: Int) -> [Modality: Tensor] {
        let shape: Shape = [batch, configuration.input.height, configuration.input.width, 3]
        let pixels = Tensor((0..<shape.count).map { Float($0 * 7919 % 256) / 128 - 1 }, shape: shape)
        return Dictionary(uniqueKeysWithValues: configuration.modalities.map { ($0, pixels) })
    }
}
