import Foundation

extension Path {
    /// An axis-parallel rectangle.
    package static func rectangle(_ x: ClosedRange<Float>, _ y: ClosedRange<Float>) -> Path {
        Path([
            Point(x.lowerBound, y.lowerBound), Point(x.upperBound, y.lowerBound),
            Point(x.upperBound, y.upperBound), Point(x.lowerBound, y.upperBound),
        ])
    }

    /// An axis-parallel ellipse, as a polygon of 28 edges (within 0.7 % of its radius).
    package static func ellipse(_ centre: Point, _ radii: Point) -> Path {
        Path(
            (0..<28).map { step in
                let angle = Float(step) * (2 * .pi / 28)
                return centre + radii * Point(cos(angle), sin(angle))
            })
    }

    /// A polygon whose corners are replaced by quadratic Bézier arcs that start `radius` before the corner.
    package static func rounded(_ corners: [Point], radius: Float) -> Path {
        let count = corners.count
        return Path(
            corners.indices.flatMap { index in
                roundedCorner(
                    corners[(index + count - 1) % count], corners[index], corners[(index + 1) % count], radius)
            })
    }

    /// The flattened arc that replaces `corner` between its neighbours: five points, the third in the middle.
    static func roundedCorner(_ before: Point, _ corner: Point, _ after: Point, _ radius: Float) -> [Point] {
        let (toBefore, toAfter) = (before - corner, after - corner)
        let start = corner + toBefore * min(0.5, radius / max(length(toBefore), 1e-6))
        let end = corner + toAfter * min(0.5, radius / max(length(toAfter), 1e-6))
        return [Float(0), 0.25, 0.5, 0.75, 1].map { t in
            let (first, second) = (start + (corner - start) * t, corner + (end - corner) * t)
            return first + (second - first) * t
        }
    }

    /// A band of the given width along an open polyline.
    ///
    /// Every piece runs around in the same sense, so that pieces add up at the joints instead of cancelling.
    package static func stroke(_ line: [Point], width: Float) -> Path {
        var path = Path()
        for (from, to) in zip(line, line.dropFirst()) where length(to - from) > 0 {
            let along = (to - from) * (width / 2 / length(to - from))
            let across = Point(-along.y, along.x)
            path.contours.append([from + across, to + across, to - across, from - across])
        }
        return path
    }
}
