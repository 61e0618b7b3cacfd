import Foundation

/// What the charts have in common: a frame with two axes, their ticks and titles, into which marks are drawn. An SVG element
/// that is as wide as its place in the page, its colours by class from the page's style sheet.
public struct ChartFrame: Sendable {
    /// What the axes show.
    public let x: Axis, y: Axis
    /// The axes' titles.
    public let titles: (x: String, y: String)
    /// What the chart shows, for those who cannot see it.
    public let label: String

    private let size = (width: 400.0, height: 240.0)
    private let inset: (left: Double, right: Double, top: Double, bottom: Double)

    /// An empty frame.
    public init(x: Axis, y: Axis, titles: (x: String, y: String), label: String) {
        (self.x, self.y, self.titles, self.label) = (x, y, titles, label)
        // Beside the title there is room for the longest label, of letters about 6.5 wide.
        let longest = y.ticks.map { y.text($0).count }.max() ?? 0
        inset = (left: max(60, 28 + 6.5 * Double(longest)), right: 12, top: 10, bottom: 40)
    }

    /// Where values are drawn.
    public func place(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        let (width, height) = (size.width - inset.left - inset.right, size.height - inset.top - inset.bottom)
        return (inset.left + self.x.share(x) * width, inset.top + (1 - self.y.share(y)) * height)
    }

    /// The chart with its marks.
    public func drawn(_ marks: [Markup]) -> Markup {
        Markup(
            "svg",
            [
                "class": "chart", "viewBox": "0 0 \(Int(size.width)) \(Int(size.height))", "role": "img",
                "aria-label": label,
            ], grid + marks + captions)
    }

    private var grid: [Markup] {
        let (low, high) = (place(x.ends.low, y.ends.low), place(x.ends.high, y.ends.high))
        let columns = x.ticks.map { place($0, y.ends.low).x }
        let rows = y.ticks.map { place(x.ends.low, $0).y }
        return columns.map { Self.line($0, low.y, $0, high.y) } + rows.map { Self.line(low.x, $0, high.x, $0) }
            + zip(x.ticks, columns).map { Self.text(x.text($0), $1, low.y + 15, "middle") }
            + zip(y.ticks, rows).map { Self.text(y.text($0), low.x - 6, $1 + 4, "end") }
    }

    private var captions: [Markup] {
        let middle = inset.top + (size.height - inset.top - inset.bottom) / 2
        return [
            Self.text(titles.x, (inset.left + size.width - inset.right) / 2, size.height - 6, "middle"),
            Markup(
                "text", ["transform": "translate(13 \(Self.number(middle))) rotate(-90)", "text-anchor": "middle"],
                text: titles.y),
        ]
    }

    private static func line(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> Markup {
        Markup("line", ["class": "grid", "x1": number(a), "y1": number(b), "x2": number(c), "y2": number(d)])
    }

    private static func text(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> Markup {
        Markup("text", ["x": number(x), "y": number(y), "text-anchor": anchor], text: text)
    }

    /// A coordinate, to a tenth of a pixel.
    public static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
