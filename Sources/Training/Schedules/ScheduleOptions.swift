/// How long something is.
public enum TrainingLength: Sendable, Equatable, ExpressibleByIntegerLiteral {
    /// Batches.
    case steps(Int)
    /// Passes over the training images.
    case epochs(Int)

    /// In steps.
    public init(integerLiteral value: Int) { self = .steps(value) }
}

/// A schedule as a recipe has it: lengths may be in epochs, of which only a run knows how many steps they are.
public struct ScheduleOptions: Sendable, Equatable {
    /// After the warm-up.
    public var decay: Schedule.Decay
    /// Of even rise.
    public var warmup: TrainingLength
    /// See ``Schedule``.
    public var warmupStart: Double
    /// See ``Schedule``.
    public var cooldown: Double
    /// See ``Schedule``.
    public var minimum: Double
    /// Of ``Schedule/Decay/step``: where the rate falls.
    public var milestones: [TrainingLength]
    /// See ``Schedule``.
    public var gamma: Double
    /// See ``Schedule``.
    public var power: Double

    /// A constant rate unless told otherwise.
    public init(
        decay: Schedule.Decay = .constant, warmup: TrainingLength = 0, warmupStart: Double = 0, cooldown: Double = 0,
        minimum: Double = 0, milestones: [TrainingLength] = [], gamma: Double = 0.1, power: Double = 1
    ) {
        (self.decay, self.warmup, self.warmupStart, self.cooldown) = (decay, warmup, warmupStart, cooldown)
        (self.minimum, self.milestones, self.gamma, self.power) = (minimum, milestones, gamma, power)
    }

    /// The schedule, given what lengths come to.
    func makeSchedule(_ steps: (TrainingLength) -> Int) -> Schedule {
        Schedule(
            decay: decay, warmup: steps(warmup), cooldown: cooldown, warmupStart: warmupStart, minimum: minimum,
            milestones: milestones.map(steps), gamma: gamma, power: power)
    }
}
