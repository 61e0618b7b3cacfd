/// Distributions of one quantity over each other, each as shares of its own.
public struct HistogramChart: Sendable {
    /// One distribution.
    public struct Distribution: Sendable, Encodable, Equatable {
        /// For the legend.
        public let name: String
        /// How many values fall into each of as many equal bins.
        public let counts: [Int]

        /// Counts as given.
        public init(_ name: String, _ counts: [Int]) { (self.name, self.counts) = (name, counts) }
    }

    private let distributions: [Distribution]
    private let range: ClosedRange<Double>
    private let frame: ChartFrame

    /// - Parameters:
    ///   - distributions: with equally many bins.
    ///   - range: what the bins divide.
    public init(
        _ distributions: [Distribution], over range: ClosedRange<Double>, titles: (x: String, y: String), label: String
    ) {
        (self.distributions, self.range) = (distributions, range)
        frame = ChartFrame(
            x: Axis([range.lowerBound, range.upperBound], isFromZero: range.lowerBound == 0),
            y: Axis(distributions.flatMap(Self.shares), isFromZero: true), titles: titles, label: label)
    }

    private static func shares(_ distribution: Distribution) -> [Double] {
        let total = Double(max(distribution.counts.reduce(0, +), 1))
        return distribution.counts.map { 100 * Double($0) / total }
    }

    /// The chart as SVG.
    public var markup: Markup {
        frame.drawn(
            distributions.enumerated().map { colour, distribution in
                Markup(
                    "path", ["class": "area c\(colour % 8)", "d": outline(distribution)],
                    [Markup("title", text: distribution.name)])
            })
    }

    /// Steps along the bins' tops, closed along the axis.
    private func outline(_ distribution: Distribution) -> String {
        let shares = Self.shares(distribution)
        let width = (range.upperBound - range.lowerBound) / Double(max(shares.count, 1))
        let text = { (x: Double, y: Double) in
            let place = frame.place(x, y)
            return "\(ChartFrame.number(place.x)) \(ChartFrame.number(place.y))"
        }
        let tops = shares.enumerated().flatMap { bin, share in
            [
                text(range.lowerBound + Double(bin) * width, share),
                text(range.lowerBound + Double(bin + 1) * width, share),
            ]
        }
        return "M" + ([text(range.lowerBound, 0)] + tops + [text(range.upperBound, 0)]).joined(separator: "L") + "Z"
    }

    /// The names of the distributions beside their colours.
    public var legend: Markup { ChartLegend(distributions.map(\.name)).markup }
}
