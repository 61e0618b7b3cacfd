/// Values over steps, one line a series.
public struct LineChart: Sendable {
    /// One line.
    public struct Series: Sendable, Encodable {
        /// For the legend.
        public let name: String
        /// From left to right; what is not finite is left out.
        public let points: [Point]

        /// A line through points.
        public init(_ name: String, _ points: [Point]) {
            self.name = name
            self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
        }
    }

    /// A value.
    public struct Point: Sendable, Encodable, Equatable {
        /// The coordinates.
        public let x: Double, y: Double

        /// A value at a place.
        public init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
    }

    private let series: [Series]
    private let frame: ChartFrame
    private let hasMarks: Bool
    private let colours: [Int]

    /// - Parameters:
    ///   - series: at most eight have a colour of their own.
    ///   - titles: of the axes.
    ///   - label: what the chart shows, for those who cannot see it.
    ///   - y: the upward axis, if not just above and below the values.
    ///   - isFromZero: whether the upward axis begins at 0.
    ///   - scale: of the upward axis.
    ///   - hasMarks: whether each value has a dot.
    ///   - colours: of the series, by number; in order unless given.
    public init(
        _ series: [Series], titles: (x: String, y: String), label: String, y: Axis? = nil, isFromZero: Bool = true,
        scale: Axis.Scale = .linear, hasMarks: Bool = false, colours: [Int]? = nil
    ) {
        let points = series.flatMap(\.points)
        self.series = series
        self.hasMarks = hasMarks
        self.colours = colours ?? Array(series.indices)
        frame = ChartFrame(
            x: Axis(points.map(\.x), isFromZero: true, hasRoom: false),
            y: y ?? Axis(points.map(\.y), isFromZero: isFromZero, scale: scale), titles: titles, label: label)
    }

    /// The chart as SVG.
    public var markup: Markup { frame.drawn(zip(series, colours).flatMap { draw($0, $1 % 8) }) }

    private func draw(_ series: Series, _ colour: Int) -> [Markup] {
        let places = series.points.map { frame.place($0.x, $0.y) }
        let path = places.map { "\(ChartFrame.number($0.x)),\(ChartFrame.number($0.y))" }.joined(separator: " ")
        let line = Markup(
            "polyline", ["class": "line c\(colour)", "points": path], [Markup("title", text: series.name)])
        guard hasMarks || places.count == 1 else { return [line] }
        return [line]
            + zip(series.points, places).map { point, place in
                Markup(
                    "circle",
                    [
                        "class": "dot c\(colour)", "cx": ChartFrame.number(place.x), "cy": ChartFrame.number(place.y),
                        "r": "2.5",
                    ], [Markup("title", text: "\(series.name): \(Self.short(point.y)) at \(Self.short(point.x))")])
            }
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e9 ? "\(Int(value))" : String(Float(value))
    }

    /// The names of the series beside their colours; nothing for one.
    public var legend: Markup { ChartLegend(series.map(\.name)).markup }
}

/// Names beside colours.
public struct ChartLegend: Sendable {
    private let names: [String]

    /// The names of what is drawn in the colours from the first on.
    public init(_ names: [String]) { self.names = names }

    /// A list; nothing for one name.
    public var markup: Markup {
        guard names.count > 1 else { return Markup("") }
        return Markup(
            "ul", ["class": "legend"],
            names.enumerated().map { Markup("li", ["class": "c\($0 % 8)"], text: $1) })
    }
}
