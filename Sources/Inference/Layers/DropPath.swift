import Randomness
import Synchronization
import Tensor

/// Drops the whole result of a residual branch in training, sample by sample, at random but seeded: stochastic depth (Huang et al.,
/// 2016) as timm has it. What is kept is scaled by 1/(1-p), so inference needs nothing; p rises evenly from 0 in the first block
/// to the rate in the last.
public final class DropPath: Sendable {
    /// p of the last block, in [0, 1).
    public let rate: Float
    private let generator: Mutex<SplitMix64>

    /// Draws from `generator`, so that equal generators drop the same branches.
    public init(rate: Float, generator: SplitMix64) {
        precondition((0..<1).contains(rate), "a drop path rate of \(rate), expected 0..<1")
        self.rate = rate
        self.generator = Mutex(generator)
    }

    /// The generator's state: the seed of one that drops the same branches from here on.
    public var state: UInt64 { generator.withLock(\.state) }

    /// Of each sample 0 with probability p, else 1/(1-p): [count].
    fileprivate func kept(_ count: Int, _ p: Float) -> Tensor {
        let scale = 1 / (1 - p)
        let kept = generator.withLock { generator in (0..<count).map { _ in generator.chance(p) ? 0 : scale } }
        return Tensor(kept, shape: [count])
    }
}

/// The branches of one block, which are dropped by the same probability.
struct BlockDropPath: Sendable {
    private let source: DropPath
    private let probability: Float

    /// nil for a block that never drops: nothing is drawn for it.
    ///
    /// - Parameters:
    ///   - index: of the block, from 0.
    ///   - depth: blocks.
    init?(_ source: DropPath?, index: Int, of depth: Int) {
        guard let source, source.rate > 0, index > 0 else { return nil }
        self.source = source
        probability = source.rate * Float(index) / Float(depth - 1)
    }

    /// A number a sample for each of `branches`: [count] each.
    func kept(_ count: Int, branches: Int) -> [Tensor] { (0..<branches).map { _ in source.kept(count, probability) } }
}

extension Tensor {
    /// The samples [B, …] times a number each: [B].
    func multiplied(bySample factors: Tensor) -> Tensor {
        reshaped([shape[0], count / shape[0]]).multiplied(by: factors, repeatedAlong: 1).reshaped(shape)
    }
}
