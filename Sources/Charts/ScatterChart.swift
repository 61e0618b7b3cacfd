/// Points by two quantities, in groups.
public struct ScatterChart: Sendable {
    /// One point.
    public struct Point: Sendable {
        /// The coordinates.
        public let x: Double, y: Double
        /// Points of a group have one colour, and one form.
        public let group: Int
        /// What is told of it.
        public let title: String

        /// A point as given.
        public init(_ x: Double, _ y: Double, group: Int = 0, title: String) {
            (self.x, self.y, self.group, self.title) = (x, y, group, title)
        }
    }

    private let points: [Point]
    private let frame: ChartFrame?
    private let label: String

    /// Points within axes of their own.
    public init(_ points: [Point], x: Axis, y: Axis, titles: (x: String, y: String), label: String) {
        (self.points, self.label) = (points, label)
        frame = ChartFrame(x: x, y: y, titles: titles, label: label)
    }

    /// Points of a square from -1 to 1 whose directions mean nothing: without axes.
    public init(plane points: [Point], label: String) { (self.points, self.label, frame) = (points, label, nil) }

    private func mark(_ point: Point, at place: (x: Double, y: Double)) -> Markup {
        PointMark(group: point.group).markup(at: place, title: point.title)
    }

    /// The chart as SVG.
    public var markup: Markup {
        guard let frame else {
            // Only as high as it must be.
            let (low, high) = (points.map(\.y).min() ?? 0, points.map(\.y).max() ?? 0)
            return Markup(
                "svg",
                [
                    "class": "chart", "viewBox": "0 0 640 \(Int(305 * (high - low)) + 30)", "role": "img",
                    "aria-label": label,
                ], points.map { mark($0, at: (320 + 305 * $0.x, 15 + 305 * (high - $0.y))) })
        }
        return frame.drawn(points.map { mark($0, at: frame.place($0.x, $0.y)) })
    }
}

/// A point's form and colour by its group: five forms in eight colours.
public struct PointMark: Sendable {
    private let group: Int

    /// The mark of a group.
    public init(group: Int) { self.group = group }

    /// The mark at a place, with what is told of it.
    public func markup(at place: (x: Double, y: Double), title: String) -> Markup {
        let radius = 3.5
        let corners: [(Double, Double)] =
            switch group / 8 % 5 {
            case 1: [(-1, -1), (1, -1), (1, 1), (-1, 1)]
            case 2: [(0, -1.3), (1.2, 0.9), (-1.2, 0.9)]
            case 3: [(0, -1.4), (1.4, 0), (0, 1.4), (-1.4, 0)]
            case 4: [(0, 1.3), (1.2, -0.9), (-1.2, -0.9)]
            default: []
            }
        let kind = "dot c\(group % 8)"
        let told = [Markup("title", text: title)]
        if corners.isEmpty {
            return Markup(
                "circle",
                [
                    "class": kind, "cx": ChartFrame.number(place.x), "cy": ChartFrame.number(place.y),
                    "r": ChartFrame.number(radius),
                ], told)
        }
        let path = corners.map {
            "\(ChartFrame.number(place.x + $0.0 * radius)),\(ChartFrame.number(place.y + $0.1 * radius))"
        }
        return Markup("polygon", ["class": kind, "points": path.joined(separator: " ")], told)
    }
}
