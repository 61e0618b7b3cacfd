/// The outline of a vehicle from the side: from its rear end's lower edge, over the roof, to its front end's.
///
/// Extruded across the width it is the whole shell; each stretch of it belongs to one panel.
struct Profile: Sendable {
    /// The parts of the shell that an extruded outline consists of.
    enum Panel: Sendable {
        case rearEnd, deck, rearGlass, roof, windscreen, bonnet, frontEnd
        /// The front of a box body, above the cab.
        case bulkhead
    }

    /// A corner of the outline, in metres from the rear end and the ground.
    struct Node {
        var point: Point
        /// How far from the corner its rounding starts.
        var radius: Float
        /// The panel from here to the next corner.
        var panel: Panel

        init(_ x: Float, _ y: Float, _ radius: Float, _ panel: Panel) {
            point = Point(x, y)
            self.radius = radius
            self.panel = panel
        }
    }

    /// A stretch of the outline that belongs to one panel.
    struct Run: Sendable {
        var panel: Panel
        var line: [Point]
    }

    /// From the rear to the front, each run starting where the one before ends.
    let runs: [Run]

    init(_ nodes: [Node]) {
        var runs: [Run] = []
        func append(_ panel: Panel, _ points: some Sequence<Point>) {
            if runs.last?.panel != panel {
                runs.append(Run(panel: panel, line: Array(runs.last?.line.suffix(1) ?? [])))
            }
            runs[runs.count - 1].line.append(contentsOf: points)
        }
        append(nodes[0].panel, [nodes[0].point])
        for (index, node) in nodes.enumerated().dropFirst().dropLast() {
            let before = nodes[index - 1]
            let arc = Path.roundedCorner(before.point, node.point, nodes[index + 1].point, node.radius)
            append(before.panel, arc[...2])
            append(node.panel, arc[3...])
        }
        let last = nodes[nodes.count - 1]
        append(nodes[nodes.count - 2].panel, [last.point])
        // Long stretches are divided so that the shell's plan curvature can bend them.
        self.runs = runs.map { Run(panel: $0.panel, line: Path.subdivide($0.line, 0.22)) }
    }

    /// Every point of the outline, from the rear to the front.
    var outline: [Point] {
        runs[0].line + runs.dropFirst().flatMap { $0.line.dropFirst() }
    }

    /// How far forward the front end (or else the rear end) is at a height.
    func end(front: Bool, at height: Float) -> Float {
        let line = front ? runs[runs.count - 1].line : runs[0].line
        for (a, b) in zip(line, line.dropFirst()) where min(a.y, b.y) <= height && height <= max(a.y, b.y) {
            return mix(a.x, b.x, (height - a.y) / max(abs(b.y - a.y), 1e-6) * (b.y < a.y ? -1 : 1))
        }
        let nearest = line.min { abs($0.y - height) < abs($1.y - height) }
        return nearest?.x ?? 0
    }
}
