import Randomness
import Synchronization
import Tensor

/// Drops activations in training, at random but seeded (Srivastava et al., 2014; inverted, so inference needs nothing).
public final class Dropout: Sendable {
    /// The probability of dropping an element, in [0, 1).
    public let probability: Float
    private let generator: Mutex<SplitMix64>

    /// Draws from `generator`, so that equal generators drop the same elements.
    public init(probability: Float, generator: SplitMix64) {
        precondition((0..<1).contains(probability), "a dropout probability of \(probability), expected 0..<1")
        self.probability = probability
        self.generator = Mutex(generator)
    }

    /// The generator's state: the seed of one that drops the same elements from here on.
    public var state: UInt64 { generator.withLock(\.state) }

    /// 0 where an element is dropped, 1/(1-p) where it is kept.
    func mask(_ shape: Shape) -> Tensor {
        let kept = 1 / (1 - probability)
        let threshold = UInt32(Double(probability) * Double(UInt32.max))
        return generator.withLock { generator in
            Tensor(shape: shape) { elements in
                var bits: UInt64 = 0
                for i in elements.indices {
                    bits = i % 2 == 0 ? generator.next() : bits >> 32
                    elements[i] = UInt32(truncatingIfNeeded: bits) < threshold ? 0 : kept
                }
            }
        }
    }

    func callAsFunction(_ x: Tensor) -> Tensor { x * mask(x.shape) }
}
