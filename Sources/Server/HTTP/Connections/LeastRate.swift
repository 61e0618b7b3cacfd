/// A least rate with some patience: whoever stands still for so long, or stays below the rate for as long in sum, has
/// broken it. Faster than the rate wins patience back, up to what there was.
package struct LeastRate: Equatable, Sendable {
    private let bytesPerSecond: Int
    private let patience: Duration
    /// The patience that is left.
    package private(set) var slack: Duration

    package init(bytesPerSecond: Int, patience: Duration) {
        (self.bytesPerSecond, self.patience, slack) = (bytesPerSecond, patience, patience)
    }

    /// Whether there is no patience left.
    package var isBroken: Bool { slack <= .zero }

    /// Bytes have come or gone.
    package mutating func moved(_ bytes: Int) {
        slack = min(patience, slack + .seconds(Double(bytes) / Double(bytesPerSecond)))
    }

    /// So long they were waited for.
    package mutating func waited(_ time: Duration) { slack -= time }
}

extension ServerConfiguration.Limits {
    /// That of bodies and answers.
    var leastRate: LeastRate {
        LeastRate(bytesPerSecond: leastBytesPerSecond, patience: .seconds(stallSeconds))
    }
}
