/// Closed contours, filled where the winding number is not zero; curves are flattened when they are made.
package struct Path: Sendable {
    package var contours: [[Point]]

    package init(contours: [[Point]] = []) {
        self.contours = contours
    }

    package init(_ points: [Point]) {
        contours = [points]
    }

    /// Every point moved by `transform`.
    package func mapped(_ transform: (Point) -> Point) -> Path {
        Path(contours: contours.map { $0.map(transform) })
    }

    /// The same shape with no edge longer than `limit`, so that a curved mapping can bend it.
    package func subdivided(_ limit: Float) -> Path {
        Path(contours: contours.map { Self.subdivide($0 + $0.prefix(1), limit).dropLast() })
    }

    /// The part of each contour where `distance`, an affine function, is not negative (Sutherland & Hodgman).
    package func clipped(where distance: (Point) -> Float) -> Path {
        Path(contours: contours.map { Self.clip($0, distance) }.filter { $0.count > 2 })
    }

    static func subdivide(_ line: [Point], _ limit: Float) -> [Point] {
        guard var last = line.first else { return [] }
        var result = [last]
        for point in line.dropFirst() {
            let pieces = max(1, Int((length(point - last) / limit).rounded(.up)))
            for piece in 1...pieces {
                result.append(last + (point - last) * (Float(piece) / Float(pieces)))
            }
            last = point
        }
        return result
    }

    private static func clip(_ contour: [Point], _ distance: (Point) -> Float) -> [Point] {
        guard var from = contour.last else { return [] }
        var result: [Point] = []
        for to in contour {
            let (a, b) = (distance(from), distance(to))
            if (a < 0) != (b < 0) { result.append(from + (to - from) * (a / (a - b))) }
            if b >= 0 { result.append(to) }
            from = to
        }
        return result
    }
}
