import Foundation

/// How the learning rate changes within a stage.
public struct Schedule: Sendable, Equatable {
    /// What happens after the warm-up.
    public enum Decay: String, CaseIterable, Codable, Sendable {
        case constant
        /// 1/√step, continuous with the warm-up (GraFT, section 5.3).
        case squareRoot = "square_root"
        /// To zero at the end, as half a cosine.
        case cosine
        /// To zero at the end, evenly.
        case linear
    }

    /// After the warm-up.
    public var decay: Decay
    /// Steps of even rise from nearly zero.
    public var warmup: Int
    /// The last part of the stage, 0...1, over which the rate falls evenly to zero.
    public var cooldown: Double

    /// A constant rate unless told otherwise.
    public init(decay: Decay = .constant, warmup: Int = 0, cooldown: Double = 0) {
        self.decay = decay
        self.warmup = warmup
        self.cooldown = cooldown
    }

    /// What the learning rate is multiplied with at a step, 0 upwards, of `total`.
    public func factor(step: Int, of total: Int) -> Float {
        if step < warmup { return Float(step + 1) / Float(warmup) }
        let remaining = Double(total - step)
        let cooldownSteps = cooldown * Double(total)
        let start = Double(total) - cooldownSteps
        let isCooling = cooldownSteps > 0 && Double(step) >= start
        let base = decayed(at: isCooling ? start : Double(step), of: total)
        return Float(isCooling ? base * remaining / cooldownSteps : base)
    }

    private func decayed(at step: Double, of total: Int) -> Double {
        let span = Double(max(total - warmup, 1))
        let progress = min(max((step - Double(warmup)) / span, 0), 1)
        switch decay {
        case .constant: return 1
        case .squareRoot:
            let reference = Double(max(warmup, 1))
            return (reference / max(step + 1, reference)).squareRoot()
        case .cosine: return (1 + Foundation.cos(.pi * progress)) / 2
        case .linear: return 1 - progress
        }
    }
}
