import Foundation

/// How the learning rate changes within a stage.
public struct Schedule: Sendable, Equatable {
    /// What happens after the warm-up.
    public enum Decay: String, CaseIterable, Codable, Sendable {
        case constant
        /// 1/√step, continuous with the warm-up (GraFT, section 5.3).
        case squareRoot = "square_root"
        /// To ``minimum`` at the end, as half a cosine (Loshchilov and Hutter, 2017, without restarts).
        case cosine
        /// To ``minimum`` at the end, evenly.
        case linear
        /// To ``minimum`` at the end, as a power of what is left.
        case polynomial
        /// Times ``gamma`` at each of ``milestones``.
        case step
    }

    /// After the warm-up.
    public var decay: Decay
    /// Steps of even rise.
    public var warmup: Int
    /// Where the rise begins, as a share of the rate; its first step is one step above it.
    public var warmupStart: Double
    /// The last part of the stage, 0...1, over which the rate falls evenly to zero.
    public var cooldown: Double
    /// The share of the rate that is left at the end.
    public var minimum: Double
    /// Steps, counted from the stage's beginning, from which the rate is lower; rising.
    public var milestones: [Int]
    /// What the rate is multiplied with at each milestone.
    public var gamma: Double
    /// Of ``Decay/polynomial``.
    public var power: Double

    /// A constant rate unless told otherwise.
    public init(
        decay: Decay = .constant, warmup: Int = 0, cooldown: Double = 0, warmupStart: Double = 0, minimum: Double = 0,
        milestones: [Int] = [], gamma: Double = 0.1, power: Double = 1
    ) {
        (self.decay, self.warmup, self.cooldown, self.warmupStart) = (decay, warmup, cooldown, warmupStart)
        (self.minimum, self.milestones, self.gamma, self.power) = (minimum, milestones, gamma, power)
    }

    /// What the learning rate is multiplied with at a step, 0 upwards, of `total`.
    public func factor(step: Int, of total: Int) -> Float {
        if step < warmup { return Float(warmupStart + (1 - warmupStart) * Double(step + 1) / Double(warmup)) }
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
        case .cosine: return minimum + (1 - minimum) * (1 + Foundation.cos(.pi * progress)) / 2
        case .linear: return minimum + (1 - minimum) * (1 - progress)
        case .polynomial: return minimum + (1 - minimum) * pow(1 - progress, power)
        case .step: return pow(gamma, Double(milestones.count { Double($0) <= step }))
        }
    }
}
