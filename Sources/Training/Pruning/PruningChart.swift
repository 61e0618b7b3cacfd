import Charts
import Foundation

/// A picture of a pruning run, as SVG: mAP against the backbone's parameters, against the file's size and against speed, a
/// point a model, the parent's hollow.
struct PruningChart {
    private struct Point {
        let x: Double
        let y: Double
        let label: String
        let isParent: Bool
    }

    private struct Panel {
        let title: String
        let points: [Point]
    }

    private let panels: [Panel]
    private let y: Axis
    /// Of one panel's frame, in pixels.
    private let width = 260.0
    private let height = 240.0
    private let gap = 44.0
    private let left = 64.0
    private let top = 24.0

    init(_ models: [PrunedModel]) {
        let panel = { (title: String, x: (PrunedModel) -> Double) in
            Panel(
                title: title,
                points: models.map {
                    Point(
                        x: x($0), y: $0.metrics.mAP * 100,
                        label: $0.title("−%.0f %%"), isParent: $0.target == 0 && $0.label == nil)
                })
        }
        let batch = models.first?.throughput.last?.batch ?? 1
        panels = [
            panel("backbone parameters that are not zero, millions") { Double($0.size.backboneParameters) / 1e6 },
            panel("file, MB") { Double($0.fileBytes) / 1e6 },
            panel("speed beside the parent, batches of \(batch)") { $0.throughput.last?.speedup ?? 1 },
        ]
        y = Axis(models.map { $0.metrics.mAP * 100 }, isFromZero: false)
    }

    var svg: String {
        let total = left + Double(panels.count) * (width + gap)
        let open =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(Int(total)) \(Int(height + top + 56))\" "
            + "width=\"\(Int(total))\" font-family=\"sans-serif\" font-size=\"11\">\n"
            + "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
        let caption =
            "<text transform=\"translate(18 \(top + height / 2)) rotate(-90)\" text-anchor=\"middle\">mAP, percent</text>\n"
        let bodies = panels.enumerated().map { draw($1, at: left + Double($0) * (width + gap)) }
        return open + caption + bodies.joined() + "</svg>\n"
    }

    private func draw(_ panel: Panel, at origin: Double) -> String {
        let x = Axis(panel.points.map(\.x), isFromZero: true)
        let place = { (point: Point) in
            (origin + x.share(point.x) * width, top + (1 - y.share(point.y)) * height)
        }
        let ticksX = x.ticks.map { tick in
            let at = origin + x.share(tick) * width
            return Self.line(at, top, at, top + height) + Self.text(x.text(tick), at, top + height + 16, "middle")
        }
        let ticksY = y.ticks.map { tick in
            let at = top + (1 - y.share(tick)) * height
            return Self.line(origin, at, origin + width, at) + Self.text(y.text(tick), origin - 6, at + 4, "end")
        }
        let path = panel.points.map(place).map { "\(Self.number($0)),\(Self.number($1))" }.joined(separator: " ")
        let line = "<polyline points=\"\(path)\" fill=\"none\" stroke=\"#2563a8\" stroke-width=\"1.5\"/>\n"
        let title = Self.text(panel.title, origin + width / 2, top + height + 38, "middle")
        let points = panel.points.map { point in
            let (a, b) = place(point)
            return "<circle cx=\"\(Self.number(a))\" cy=\"\(Self.number(b))\" r=\"4\" stroke=\"#2563a8\" "
                + "fill=\"\(point.isParent ? "white" : "#2563a8")\"/>\n" + Self.text(point.label, a + 7, b - 5, "start")
        }
        return (ticksX + ticksY + [line] + points + [title]).joined()
    }

    private static func line(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> String {
        "<line x1=\"\(number(a))\" y1=\"\(number(b))\" x2=\"\(number(c))\" y2=\"\(number(d))\" stroke=\"#dddddd\"/>\n"
    }

    private static func text(_ text: String, _ x: Double, _ y: Double, _ anchor: String) -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(text)</text>\n"
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
