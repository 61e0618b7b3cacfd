/// The mean of one thing measured several times, and how far the measurements are apart.
public struct Spread: Sendable, Encodable, Equatable {
    /// How many there are.
    public let count: Int
    /// Their mean.
    public let mean: Double
    /// Their standard deviation, with n - 1; nil for fewer than two.
    public let deviation: Double?

    /// Of values, at least one.
    public init(_ values: [Double]) {
        count = values.count
        let mean = values.reduce(0, +) / Double(max(values.count, 1))
        self.mean = mean
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : nil
    }

    /// The variance of the mean.
    fileprivate var error: Double? { deviation.map { $0 * $0 / Double(count) } }
}

/// How far two means are apart, and whether that says anything: Welch's interval of 95 % (Welch, "The generalization of Student's
/// problem when several different population variances are involved", 1947), which takes neither the variances nor the counts
/// for equal.
public struct Difference: Sendable, Encodable, Equatable {
    /// What can be said.
    public enum Verdict: String, Sendable, Encodable {
        /// The interval leaves out 0.
        case beyondSpread = "beyond the spread over seeds"
        /// The interval holds 0.
        case withinSpread = "within the spread over seeds"
        /// One of the two was measured once.
        case unknown = "nothing can be said: one seed"
    }

    /// Of the means.
    public let value: Double
    /// In which the difference lies with a confidence of 95 %; nil where nothing can be said.
    public let low: Double?, high: Double?
    /// What can be said.
    public let verdict: Verdict

    /// How far `spread` is above `other`.
    public init(_ spread: Spread, from other: Spread) {
        value = spread.mean - other.mean
        guard let (a, b) = spread.error.flatMap({ a in other.error.map { (a, $0) } }) else {
            (low, high, verdict) = (nil, nil, .unknown)
            return
        }
        // Satterthwaite's degrees of freedom; of two variances of 0 there is nothing to estimate.
        let parts = a * a / Double(spread.count - 1) + b * b / Double(other.count - 1)
        let reach = parts > 0 ? StudentT(freedom: (a + b) * (a + b) / parts).quantile(0.975) * (a + b).squareRoot() : 0
        (low, high) = (value - reach, value + reach)
        verdict = abs(value) > reach ? .beyondSpread : .withinSpread
    }
}
