/// Open-set identification (ISO/IEC 19795-1; NIST's FRVT 1:N): how often somebody who is enrolled is not found, at a threshold at which
/// somebody who is not is seldom taken for another.
public struct OpenSetResult: Sendable, Encodable {
    /// Between which 95 % of the same lie on identities drawn anew.
    public struct Interval: Sendable, Equatable, Encodable {
        /// The lower end.
        public let low: Double
        /// The upper end.
        public let high: Double
    }

    /// Errors at a threshold.
    public struct Point: Sendable, Equatable, Encodable {
        /// A cosine: a score that reaches it is a match.
        public let threshold: Float
        /// FPIR: the share of searches without a mate in which something reaches the threshold.
        public let falsePositiveRate: Double
        /// FNIR: the share of searches with a mate in which no mate reaches it.
        public let falseNegativeRate: Double
        /// The same where a mate must also come before every other identity.
        public let falseNegativeRateAtRank1: Double
    }

    /// A rate that was asked for, and what holds it.
    public struct OperatingPoint: Sendable, Equatable, Encodable {
        /// The FPIR that was asked for.
        public let rate: Double
        /// The lowest threshold at which no more than that share of searches without a mate are matched, and its errors.
        public let point: Point
        /// Searches without a mate in which something reaches the threshold.
        public let falsePositives: Int
        /// How sure the threshold is.
        public let threshold: Interval
        /// How sure the FNIR is, the threshold drawn with it.
        public let falseNegativeRate: Interval
        /// How sure that at rank 1 is.
        public let falseNegativeRateAtRank1: Interval
    }

    /// Queries or items of a kind.
    public struct Count: Sendable, Equatable, Encodable {
        /// How many.
        public let items: Int
        /// Whose they are.
        public let identities: Int

        init(_ identities: [String]) { (items, self.identities) = (identities.count, Set(identities).count) }
    }

    /// The task's name; of several trials, the first is measured.
    public let task: String
    /// What was ranked.
    public let modalities: String
    /// The share of identities that were taken out of the gallery, and how many these are.
    public let removedShare: Double, removedIdentities: Int
    /// What they and the resampling were drawn by.
    public let seed: UInt64
    /// Of the bootstrap.
    public let resamples: Int
    /// Items of the gallery that are left.
    public let gallery: Count
    /// Searches with something to be found.
    public let mated: Count
    /// Searches with nothing.
    public let unmated: Count
    /// One for each rate, in the order in which they were asked for.
    public let points: [OperatingPoint]
    /// From the highest threshold to the lowest, at most 102 points, evenly in the logarithm of the FPIR.
    public let curve: [Point]

    /// Throws `EvaluationError.oneSided` if all queries, or none, have a mate.
    init(_ task: EncodedTask, _ tally: OpenSetTally, _ plan: OpenSetPlan) throws(EvaluationError) {
        let errors = OpenSetErrors(tally.searches.compactMap { $0 })
        if errors.mated.isEmpty { throw .oneSided(task: task.name, expected: "queries with a mate in the gallery") }
        if errors.unmated.isEmpty {
            throw .oneSided(
                task: task.name, expected: "queries without a mate in the gallery, which a larger share makes")
        }
        (self.task, modalities) = (task.name, task.label)
        (removedShare, removedIdentities) = (plan.removed, tally.removed.count)
        (seed, resamples) = (plan.seed, plan.resamples)
        gallery = Count(tally.identities)
        (mated, unmated) = (Count(errors.mated.map(\.identity)), Count(errors.unmated.map(\.identity)))
        points = errors.operatingPoints(plan)
        curve = errors.curve
    }
}
