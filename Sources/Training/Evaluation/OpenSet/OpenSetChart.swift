import Charts
import Documents
import Foundation

/// FNIR against FPIR as SVG, a line a task: the FPIR on a logarithmic axis, the rates that were asked for marked with their intervals.
public struct OpenSetChart: Sendable {
    private static let colours = ["#2563a8", "#b4531f", "#2e7d4f", "#7a4fa3"]
    private let results: [OpenSetResult]
    /// The FPIR in percent, from below that of one search without a mate.
    private let x: Axis
    /// The FNIR in percent.
    private let y = Axis(ticks: [0, 20, 40, 60, 80, 100])
    private let frame = (left: 64.0, top: 24.0, width: 460.0, height: 300.0)

    /// A chart of one result or more.
    public init(_ results: [OpenSetResult]) {
        self.results = results
        let searches = max(results.map(\.unmated.items).max() ?? 1, 2)
        x = Axis([100 / Double(searches), 100], isFromZero: false, scale: .logarithmic)
    }

    /// Writes it, whole or not at all. Throws `FileError`.
    public func write(to path: String) throws(FileError) { try DurableFile.write(svg.utf8, to: path) }

    /// The chart.
    public var svg: String {
        let width = Int(frame.left + frame.width + 24)
        let height = Int(frame.top + frame.height) + 56 + 16 * results.count
        let lines = results.enumerated().flatMap { draw($1, $0) }
        return Markup(
            "svg",
            [
                "xmlns": "http://www.w3.org/2000/svg", "viewBox": "0 0 \(width) \(height)", "width": "\(width)",
                "font-family": "sans-serif", "font-size": "12", "role": "img", "aria-label": "FNIR against FPIR",
            ], [Markup("rect", ["width": "100%", "height": "100%", "fill": "white"])] + grid + lines
        ).description + "\n"
    }

    /// Where percentages are drawn; what is left of the axis, at its end.
    private func place(_ falsePositives: Double, _ falseNegatives: Double) -> (x: Double, y: Double) {
        (
            frame.left + x.share(max(falsePositives, x.ends.low)) * frame.width,
            frame.top + (1 - y.share(falseNegatives)) * frame.height
        )
    }

    private var grid: [Markup] {
        let bottom = frame.top + frame.height
        let columns = x.ticks.flatMap { tick in
            let at = place(tick, 0).x
            return [
                path([(at, frame.top), (at, bottom)], "#dddddd"), text(x.text(tick), at, bottom + 17, "middle"),
            ]
        }
        let rows = y.ticks.flatMap { tick in
            let at = place(x.ends.low, tick).y
            return [
                path([(frame.left, at), (frame.left + frame.width, at)], "#dddddd"),
                text(y.text(tick), frame.left - 8, at + 4, "end"),
            ]
        }
        let middle = frame.top + frame.height / 2
        return columns + rows + [
            text("FPIR, percent", frame.left + frame.width / 2, bottom + 38, "middle"),
            Markup(
                "text", ["transform": "translate(20 \(middle)) rotate(-90)", "text-anchor": "middle"],
                text: "FNIR, percent"),
        ]
    }

    private func draw(_ result: OpenSetResult, _ number: Int) -> [Markup] {
        let colour = Self.colours[number % Self.colours.count]
        let line = path(
            result.curve.map { place(100 * $0.falsePositiveRate, 100 * $0.falseNegativeRate) }, colour, width: 2)
        let marks = result.points.flatMap { found in
            let (rate, range) = (100 * found.point.falsePositiveRate, found.falseNegativeRate)
            let at = place(rate, 100 * found.point.falseNegativeRate)
            return [
                path([range.low, range.high].map { place(rate, 100 * $0) }, colour),
                Markup(
                    "circle",
                    ["cx": ChartFrame.number(at.x), "cy": ChartFrame.number(at.y), "r": "4", "fill": colour]),
            ]
        }
        let below = frame.top + frame.height + 56 + 16 * Double(number)
        return [line] + marks + [text("\(result.task), \(result.modalities)", frame.left, below, "start", colour)]
    }

    private func path(_ points: [(x: Double, y: Double)], _ colour: String, width: Double = 1) -> Markup {
        let places = points.map { "\(ChartFrame.number($0.x)),\(ChartFrame.number($0.y))" }.joined(separator: " ")
        return Markup(
            "polyline", ["points": places, "fill": "none", "stroke": colour, "stroke-width": "\(width)"])
    }

    private func text(
        _ text: String, _ x: Double, _ y: Double, _ anchor: String, _ colour: String = "#333333"
    ) -> Markup {
        Markup(
            "text",
            ["x": ChartFrame.number(x), "y": ChartFrame.number(y), "text-anchor": anchor, "fill": colour], text: text)
    }
}
