/// A point or vector in the plane: pixels (y down) on a canvas, metres (y up) on a vehicle's panel.
package typealias Point = SIMD2<Float>

/// A point or vector of the scene, in metres: x along the vehicle towards its front, y up, z towards the camera.
package typealias Point3 = SIMD3<Float>

func dot(_ a: Point3, _ b: Point3) -> Float {
    (a * b).sum()
}

func cross(_ a: Point3, _ b: Point3) -> Point3 {
    Point3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x)
}

func length(_ a: Point) -> Float {
    (a * a).sum().squareRoot()
}

func normalized(_ a: Point3) -> Point3 {
    a / dot(a, a).squareRoot()
}

/// `a` at 0, `b` at 1.
func mix(_ a: Float, _ b: Float, _ t: Float) -> Float {
    a + (b - a) * t
}

/// Hermite's step: 0 below 0, 1 above 1, and flat at both.
func smoothstep(_ t: Float) -> Float {
    let t = min(max(t, 0), 1)
    return t * t * (3 - 2 * t)
}
