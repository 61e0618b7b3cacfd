import Foundation

/// A pinhole camera that looks at a vehicle, and the crop that a detector would make of its picture.
struct Projection: Sendable {
    /// Where the camera is.
    let eye: Point3
    private let right: Point3
    private let up: Point3
    private let forward: Point3
    let facesLeft: Bool
    private let width: Float
    /// Pixels per unit of the image plane, and the pixel of the image plane's origin.
    private var scale: Float = 1
    private var origin = Point.zero
    private static let nearest: Float = 1

    /// A camera on `profile`'s station, whose crop contains `body` as the conditions say.
    init(_ profile: CameraProfile, _ conditions: SightingConditions, around body: [Point3], width: Int, height: Int) {
        let (azimuth, elevation) = (profile.azimuth + conditions.turn, profile.elevation)
        let target = Point3(0, 0.7, 0)
        forward = -Point3(sin(azimuth) * cos(elevation), sin(elevation), cos(azimuth) * cos(elevation))
        eye = target - forward * profile.distance
        let level = normalized(cross(forward, Point3(0, 1, 0)))
        let upright = cross(level, forward)
        right = level * cos(profile.roll) + upright * sin(profile.roll)
        up = upright * cos(profile.roll) - level * sin(profile.roll)
        facesLeft = profile.facesLeft
        self.width = Float(width)
        let size = Point(Float(width), Float(height))
        let plane = body.map { flat($0) }
        let low = plane.reduce(plane[0]) { pointwiseMin($0, $1) }
        let high = plane.reduce(plane[0]) { pointwiseMax($0, $1) }
        scale = (size * Point(1, 0.95) / (high - low)).min() * conditions.fill
        origin = size / 2 + size * conditions.offset - (low + high) / 2 * scale
    }

    /// Whether the camera sees the front of vehicles rather than their rear.
    var seesFront: Bool { eye.x > 0 }

    /// The pixel at which a point of the scene appears; the point must be in front of the camera.
    func pixel(_ point: Point3) -> Point {
        let pixel = origin + flat(point) * scale
        return facesLeft ? Point(width - pixel.x, pixel.y) : pixel
    }

    /// Pixels per metre near a point of the scene.
    func pixelsPerMetre(at point: Point3) -> Float {
        scale / dot(point - eye, forward)
    }

    /// A polygon of the scene, without what is behind the camera.
    func path(_ corners: [Point3]) -> Path {
        guard var from = corners.last else { return Path() }
        var contour: [Point] = []
        for to in corners {
            let (a, b) = (depth(from) - Self.nearest, depth(to) - Self.nearest)
            if (a < 0) != (b < 0) { contour.append(pixel(from + (to - from) * (a / (a - b)))) }
            if b >= 0 { contour.append(pixel(to)) }
            from = to
        }
        return Path(contour)
    }

    private func depth(_ point: Point3) -> Float {
        dot(point - eye, forward)
    }

    private func flat(_ point: Point3) -> Point {
        let ray = point - eye
        let depth = max(dot(ray, forward), Self.nearest * 0.5)
        return Point(dot(ray, right) / depth, -dot(ray, up) / depth)
    }
}
