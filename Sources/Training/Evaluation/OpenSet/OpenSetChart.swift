import Documents
import Foundation

/// FNIR against FPIR as SVG, a line a task: the FPIR on a logarithmic axis, the rates that were asked for marked with their intervals.
public struct OpenSetChart: Sendable {
    private static let colours = ["#2563a8", "#b4531f", "#2e7d4f", "#7a4fa3"]
    private let results: [OpenSetResult]
    /// The power of ten at the left end: below the FPIR of one search without a mate.
    private let decades: Int
    private let frame = (left: 64.0, top: 24.0, width: 460.0, height: 300.0)

    /// A chart of one result or more.
    public init(_ results: [OpenSetResult]) {
        self.results = results
        let searches = results.map(\.unmated.items).max() ?? 1
        decades = max(Int(log10(Double(max(searches, 2))).rounded(.up)), 1)
    }

    /// Writes it, whole or not at all. Throws `FileError`.
    public func write(to path: String) throws {
        var file = try DurableFile(replacing: path)
        try Array(svg.utf8).withUnsafeBytes { try file.write($0) }
        try file.commit()
    }

    /// The chart.
    public var svg: String {
        let size = (
            width: Int(frame.left + frame.width + 24), height: Int(frame.top + frame.height) + 56 + 16 * results.count
        )
        let lines = results.enumerated().map { draw($1, $0) }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size.width) \(size.height)" width="\(size.width)" \
            font-family="sans-serif" font-size="12" role="img" aria-label="FNIR against FPIR">
            <rect width="100%" height="100%" fill="white"/>
            \(grid.joined(separator: "\n"))
            \(lines.joined(separator: "\n"))
            </svg>

            """
    }

    private func place(_ falsePositives: Double, _ falseNegatives: Double) -> (x: Double, y: Double) {
        let share = 1 + max(log10(max(falsePositives, 1e-12)), -Double(decades)) / Double(decades)
        return (frame.left + share * frame.width, frame.top + (1 - falseNegatives) * frame.height)
    }

    private var grid: [String] {
        let bottom = frame.top + frame.height
        let columns = (0...decades).map { decade in
            let at = place(pow(10, -Double(decade)), 0).x
            return path([(at, frame.top), (at, bottom)], "#dddddd")
                + text(String(format: "%g", pow(10, 2 - Double(decade))), at, bottom + 17, "middle")
        }
        let rows = (0...5).map { step in
            let at = place(1, Double(step) / 5).y
            return path([(frame.left, at), (frame.left + frame.width, at)], "#dddddd")
                + text("\(step * 20)", frame.left - 8, at + 4, "end")
        }
        let middle = frame.top + frame.height / 2
        return columns + rows + [
            text("FPIR, percent", frame.left + frame.width / 2, bottom + 38, "middle"),
            "<text transform=\"translate(20 \(middle)) rotate(-90)\" text-anchor=\"middle\">FNIR, percent</text>",
        ]
    }

    private func draw(_ result: OpenSetResult, _ number: Int) -> String {
        let colour = Self.colours[number % Self.colours.count]
        let line = path(result.curve.map { place($0.falsePositiveRate, $0.falseNegativeRate) }, colour, width: 2)
        let marks = result.points.map { found in
            let range = found.falseNegativeRate
            let ends = [range.low, range.high].map { place(found.point.falsePositiveRate, $0) }
            let at = place(found.point.falsePositiveRate, found.point.falseNegativeRate)
            return path(ends, colour)
                + String(format: "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" fill=\"%@\"/>", at.x, at.y, colour)
        }
        let below = frame.top + frame.height + 56 + 16 * Double(number)
        let legend = text("\(result.task), \(result.modalities)", frame.left, below, "start", colour)
        return ([line] + marks + [legend]).joined(separator: "\n")
    }

    private func path(_ points: [(x: Double, y: Double)], _ colour: String, width: Double = 1) -> String {
        let places = points.map { String(format: "%.1f,%.1f", $0.x, $0.y) }.joined(separator: " ")
        return "<polyline points=\"\(places)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"\(width)\"/>"
    }

    private func text(
        _ text: String, _ x: Double, _ y: Double, _ anchor: String, _ colour: String = "#333333"
    ) -> String {
        String(format: "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%@\" fill=\"%@\">", x, y, anchor, colour) + text
            + "</text>"
    }
}
