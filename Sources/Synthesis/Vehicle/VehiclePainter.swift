/// Paints one vehicle on a canvas, from what is farthest from the camera to what is nearest.
struct VehiclePainter {
    let shape: BodyShape
    let identity: VehicleIdentity
    let materials: VehicleMaterials
    let projection: Projection
    let conditions: SightingConditions
    /// Warm regions of the shell, on the canvas.
    let heat: [RadialGlow]

    init(_ identity: VehicleIdentity, _ conditions: SightingConditions, _ projection: Projection) {
        self.identity = identity
        self.conditions = conditions
        self.projection = projection
        shape = identity.body.shape
        materials = VehicleMaterials(identity, conditions)
        heat = HeatMap(identity, conditions).glows(projection)
    }

    /// The points that a detector's box must contain.
    static func extent(_ shape: BodyShape) -> [Point3] {
        let shell = shape.profile.outline.flatMap { [shape.across($0, 1), shape.across($0, -1)] }
        let wheels = [shape.axles.rear, shape.axles.front].map { Point3($0 - shape.length / 2, 0, shape.width / 2) }
        return shell + wheels
    }

    func paint(on canvas: inout Canvas) {
        paintShadow(on: &canvas)
        paintFarWheels(on: &canvas)
        paintShell(on: &canvas)
        paintRack(on: &canvas)
        paintSide(on: &canvas)
        paintNearWheels(on: &canvas)
        paintMirror(on: &canvas)
    }

    /// Fills a part of the shell, and lets the engine and the like shine through it in the thermal band.
    func fillShell(_ path: Path, with brush: Brush, on canvas: inout Canvas) {
        canvas.fill(path, with: brush)
        canvas.add(heat, within: path)
    }

    /// A path of the side view, on the canvas.
    func onSide(_ path: Path) -> Path {
        path.mapped { projection.pixel(shape.onSide($0)) }
    }

    /// A path on the front or rear end (x: -1…1 across, y: metres above the ground), on the canvas.
    func onEnd(front: Bool, _ path: Path) -> Path {
        path.subdivided(0.15).mapped { projection.pixel(shape.onEnd(front: front, $0.x, $0.y)) }
    }

    /// The lowest edge of the shell's side.
    var sill: Float {
        shape.profile.outline[0].y
    }

    /// Layers of growing size and equal opacity make a soft edge.
    private func paintShadow(on canvas: inout Canvas) {
        let shade = Spectrum(grey: 0.008, nir: 0.012, celsius: conditions.air + 3)
        let opacity: Float = conditions.isNight ? 0.14 : 0.22
        let cover = Spectrum.opacity(visible: opacity, nir: opacity, tir: opacity * 0.7)
        let middle = Point(-conditions.sun.x, 0.1 - conditions.sun.z) * 0.35
        for margin in stride(from: Float(0.3), through: -0.2, by: -0.1) {
            let (x, z) = (shape.length / 2 + margin - 0.15, shape.width / 2 + margin)
            let corners = [Point(-x, -z), Point(x, -z), Point(x, z), Point(-x, z)].map { middle + $0 }
            let outline = Path.rounded(corners, radius: 0.5).contours[0].map { Point3($0.x, 0, $0.y) }
            canvas.fill(projection.path(outline), with: .solid(shade, opacity: cover))
        }
    }
}
