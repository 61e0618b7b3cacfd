/// How much of each pixel a path covers: exact areas, so that edges are smooth at any resolution.
///
/// Every edge adds its signed area to the pixels it crosses and to the one right of them; a running sum along each
/// row then gives the coverage (the accumulation buffer of Levien's font-rs). O(edges × pixels crossed + area).
package struct CoverageMask {
    package let originX: Int
    package let originY: Int
    package let width: Int
    package let height: Int
    /// Row by row, each row two cells longer than `width`: the cells right of the last pixel take what falls there.
    private var cells: [Float]

    /// The mask of `path` within a canvas of the given size; empty where they do not meet.
    package init(_ path: Path, canvasWidth: Int, canvasHeight: Int) {
        var low = Point(repeating: .infinity)
        var high = Point(repeating: -.infinity)
        for point in path.contours.joined() {
            low = pointwiseMin(low, point)
            high = pointwiseMax(high, point)
        }
        let limit = Point(Float(canvasWidth), Float(canvasHeight))
        low = low.clamped(lowerBound: .zero, upperBound: limit).rounded(.down)
        high = high.clamped(lowerBound: .zero, upperBound: limit).rounded(.up)
        (originX, originY) = (Int(low.x), Int(low.y))
        (width, height) = (max(0, Int(high.x) - originX), max(0, Int(high.y) - originY))
        cells = Array(repeating: 0, count: (width + 2) * height)
        guard width > 0, height > 0 else { return }
        for contour in path.contours {
            guard var from = contour.last.map({ $0 - low }) else { continue }
            for point in contour {
                add(from, point - low)
                from = point - low
            }
        }
    }

    /// Calls `body` for every pixel of the canvas that is covered, with its coverage in (0, 1].
    package func forEachCovered(_ body: (_ x: Int, _ y: Int, _ coverage: Float) -> Void) {
        for row in 0..<height {
            var sum: Float = 0
            for column in 0..<width {
                sum += cells[row * (width + 2) + column]
                let coverage = min(abs(sum), 1)
                if coverage > 1e-3 { body(originX + column, originY + row, coverage) }
            }
        }
    }

    private mutating func add(_ from: Point, _ to: Point) {
        guard from.y != to.y else { return }
        let (top, bottom, sign): (Point, Point, Float) = from.y < to.y ? (from, to, 1) : (to, from, -1)
        guard bottom.y > 0, top.y < Float(height) else { return }
        let slope = (bottom.x - top.x) / (bottom.y - top.y)
        let right = Float(width)
        for row in Int(max(top.y, 0))..<min(height, Int(bottom.y.rounded(.up))) {
            let (y0, y1) = (max(top.y, Float(row)), min(bottom.y, Float(row + 1)))
            let a = min(max(top.x + (y0 - top.y) * slope, 0), right)
            let b = min(max(top.x + (y1 - top.y) * slope, 0), right)
            addSpan(row * (width + 2), min(a, b), max(a, b), area: sign * (y1 - y0))
        }
    }

    /// Spreads an edge that crosses one row from `left` to `right`: each pixel gets the area right of the edge in it,
    /// less what the pixel on its left has got, because the running sum carries that on.
    private mutating func addSpan(_ row: Int, _ left: Float, _ right: Float, area: Float) {
        let (first, last) = (Int(left), Int(right))
        let perPixel = right > left ? area / (right - left) : 0
        var crossed: Float = 0
        var carried: Float = 0
        for column in first...last {
            let (start, end) = (max(left, Float(column)), min(right, Float(column + 1)))
            let height = first == last ? area : perPixel * (end - start)
            let covered = crossed + height * (Float(column + 1) - (start + end) / 2)
            cells[row + column] += covered - carried
            crossed += height
            carried = covered
        }
        cells[row + last + 1] += area - carried
    }
}
