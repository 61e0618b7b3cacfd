import Foundation

extension VehiclePainter {
    func paintFarWheels(on canvas: inout Canvas) {
        for axle in [shape.axles.rear, shape.axles.front] {
            fillDisc(axle, shape.wheelRadius, z: 0.25 - shape.width / 2, .solid(materials.gap), on: &canvas)
        }
    }

    /// Arches, tyres and rims.
    func paintNearWheels(on canvas: inout Canvas) {
        let face = shape.width / 2 - 0.03
        for (axle, tyre, rim) in [
            (shape.axles.rear, materials.tyre.rear, materials.rim.rear),
            (shape.axles.front, materials.tyre.front, materials.rim.front),
        ] {
            let arch = Path.ellipse(Point(axle, shape.wheelRadius + 0.02), Point(repeating: shape.wheelRadius * 1.18))
            let opacity = Spectrum.opacity(visible: 1, nir: 1, tir: 0.6)
            canvas.fill(onSide(arch.clipped { $0.y - sill }), with: .solid(materials.gap, opacity: opacity))
            fillDisc(axle, shape.wheelRadius, z: face - 0.2, .solid(tyre.lit(0.6)), on: &canvas)
            fillDisc(axle, shape.wheelRadius, z: face, .solid(tyre), on: &canvas)
            fillDisc(axle, shape.wheelRadius * 0.66, z: face, .solid(rim), on: &canvas)
            paintGaps(axle, z: face, on: &canvas)
        }
    }

    private func fillDisc(_ axle: Float, _ radius: Float, z: Float, _ brush: Brush, on canvas: inout Canvas) {
        let disc = Path.ellipse(Point(axle, shape.wheelRadius), Point(repeating: radius))
        canvas.fill(onWheel(disc, z: z), with: brush)
    }

    /// The openings between the spokes.
    private func paintGaps(_ axle: Float, z: Float, on canvas: inout Canvas) {
        let centre = Point(axle, shape.wheelRadius)
        let step = 2 * Float.pi / Float(identity.spokes)
        for spoke in 0..<identity.spokes {
            let angle = (Float(spoke) + 0.3) * step
            let wedge = [(0.2, 0.5), (0.58, 0.22), (0.58, 0.78)].map { (radius: Float, turn: Float) in
                centre + Point(cos(angle + turn * step), sin(angle + turn * step)) * (radius * shape.wheelRadius)
            }
            let opacity = Spectrum.opacity(visible: 0.85, nir: 0.8, tir: 0.1)
            canvas.fill(onWheel(Path(wedge), z: z), with: .solid(materials.gap, opacity: opacity))
        }
    }

    private func onWheel(_ path: Path, z: Float) -> Path {
        path.mapped { projection.pixel(Point3($0.x - shape.length / 2, $0.y, z)) }
    }
}
