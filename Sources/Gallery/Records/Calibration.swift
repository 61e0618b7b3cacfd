import Randomness

/// From which score on two sightings should be of one identity, by what is enrolled: each sampled sighting is looked for as a
/// newcomer, among all identities but its own, and as known, among the others of its own.
public struct Calibration: Sendable, Equatable {
    /// Shares of newcomers that may be taken for somebody: for a lower one no gallery would have enough sightings.
    public static let rates = 1e-6...0.5

    /// What lies between 2.5 and 97.5 % of the same on samples drawn anew, by identity.
    public struct Interval: Sendable, Equatable {
        /// The lower end.
        public let low: Double
        /// The upper end.
        public let high: Double
    }

    /// A threshold and what it would do.
    public struct Point: Sendable, Equatable {
        /// A cosine.
        public let threshold: Float
        /// The share of newcomers that would be taken for somebody.
        public let falseMatchRate: Double
        /// The share of the known that would not be recognised.
        public let missRate: Double
    }

    /// What one sighting has shown.
    struct Sample: Sendable {
        let identity: String
        /// The best score with another identity's.
        let impostor: Float
        /// The best score with another of its own; nil if there is none.
        let genuine: Float?
    }

    /// What is compared.
    public let modalities: [String]
    /// The lowest threshold at which no more newcomers than wanted would be matched.
    public let point: Point
    /// How sure the threshold is.
    public let threshold: Interval
    /// How sure the share of the known that it misses is.
    public let missRate: Interval
    /// Sightings that were looked for.
    public let samples: Int
    /// How many of them have others of their identity.
    public let known: Int
    /// Whose they are.
    public let identities: Int
    /// From the lowest threshold to the highest, at most 41.
    public let curve: [Point]

    private static let resamples = 200
    private static let steps = 40

    /// nil if there are too few to tell so small a rate.
    init?(_ samples: [Sample], _ modalities: [String], falseMatchRate rate: Double) {
        guard Double(samples.count) * rate >= 1, let threshold = Self.threshold(samples, rate) else { return nil }
        let groups = Dictionary(grouping: samples, by: \.identity).sorted { $0.key < $1.key }.map(\.value)
        self.modalities = modalities
        (self.samples, identities) = (samples.count, groups.count)
        known = samples.count { $0.genuine != nil }
        point = Self.point(threshold, samples)
        var generator = SplitMix64(seed: 1)
        var (thresholds, misses) = ([Double](), [Double]())
        for _ in 0..<Self.resamples {
            let drawn = groups.indices.flatMap { _ in groups[generator.index(below: groups.count)] }
            guard let threshold = Self.threshold(drawn, rate) else { continue }
            thresholds.append(Double(threshold))
            misses.append(Self.point(threshold, drawn).missRate)
        }
        (self.threshold, missRate) = (Self.interval(thresholds), Self.interval(misses))
        let scores = samples.map(\.impostor) + samples.compactMap(\.genuine)
        let (low, high) = (scores.min() ?? 0, scores.max() ?? 0)
        curve = (0...Self.steps).map { step in
            Self.point(low + (high - low) * Float(step) / Float(Self.steps), samples)
        }
    }

    /// Just above the scores of all newcomers but the share that may be matched.
    private static func threshold(_ samples: [Sample], _ rate: Double) -> Float? {
        let impostors = samples.map(\.impostor).sorted(by: >)
        let allowed = Int(Double(impostors.count) * rate)
        return allowed < impostors.count ? impostors[allowed].nextUp : impostors.last
    }

    private static func point(_ threshold: Float, _ samples: [Sample]) -> Point {
        let genuine = samples.compactMap(\.genuine)
        return Point(
            threshold: threshold,
            falseMatchRate: Double(samples.count { $0.impostor >= threshold }) / Double(max(samples.count, 1)),
            missRate: Double(genuine.count { $0 < threshold }) / Double(max(genuine.count, 1)))
    }

    private static func interval(_ values: [Double]) -> Interval {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return Interval(low: 0, high: 0) }
        let at = { (share: Double) in sorted[min(Int(share * Double(sorted.count)), sorted.count - 1)] }
        return Interval(low: at(0.025), high: at(0.975))
    }
}
