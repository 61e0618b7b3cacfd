extension VehiclePainter {
    /// Grille, intake, lamps, bumper and plate.
    func paintFront(on canvas: inout Canvas) {
        let lamp = shape.headLamp
        fillEnd(front: true, -1...1, bottom(front: true)...shape.claddingTop, bumper, on: &canvas)
        fillEnd(front: true, -0.62...0.62, (sill + 0.06)...(sill + 0.17), .solid(materials.gap), on: &canvas)
        fillEnd(front: true, -0.5...0.5, (lamp - 0.09)...(lamp + 0.06), grille, on: &canvas)
        for side in [Float(-1), 1] {
            let edges = [0.58 * side, 0.97 * side].sorted()
            fillEnd(
                front: true, edges[0]...edges[1], (lamp - 0.07)...(lamp + 0.08), .solid(materials.headLamp), on: &canvas
            )
        }
        paintPlate(front: true, at: lamp - 0.19, on: &canvas)
    }

    /// Bumper, lamps, plate and exhaust.
    func paintRear(on canvas: inout Canvas) {
        let lamp = shape.tailLamp
        fillEnd(front: false, -1...1, bottom(front: false)...shape.claddingTop, bumper, on: &canvas)
        for side in [Float(-1), 1] {
            let edges = [0.7 * side, 0.98 * side].sorted()
            fillEnd(
                front: false, edges[0]...edges[1], (lamp - 0.14)...(lamp + 0.1), .solid(materials.tailLamp), on: &canvas
            )
        }
        paintPlate(front: false, at: lamp - 0.1, on: &canvas)
        paintExhaust(on: &canvas)
    }

    /// Just beyond the lower edge, so that the bumper covers all of the smooth edge beneath it.
    private func bottom(front: Bool) -> Float {
        let outline = shape.profile.outline
        return outline[front ? outline.count - 1 : 0].y - 0.015
    }

    private var bumper: Brush {
        .solid(materials.trim, opacity: .opacity(visible: 1, nir: 1, tir: 0.5))
    }

    /// A radiator behind the grille shows how hot the engine is.
    private var grille: Brush {
        .solid(materials.gap, opacity: .opacity(visible: 0.95, nir: 0.95, tir: 0.25))
    }

    private func fillEnd(
        front: Bool, _ across: ClosedRange<Float>, _ height: ClosedRange<Float>, _ brush: Brush,
        on canvas: inout Canvas
    ) {
        canvas.fill(onEnd(front: front, .rectangle(across, height)), with: brush)
    }

    private func paintPlate(front: Bool, at height: Float, on canvas: inout Canvas) {
        fillEnd(front: front, -0.27...0.27, (height - 0.06)...(height + 0.06), .solid(materials.plate), on: &canvas)
        let letters = Brush.solid(materials.gap, opacity: .opacity(visible: 0.8, nir: 0.6, tir: 0))
        fillEnd(front: front, -0.21...(-0.03), (height - 0.03)...(height + 0.03), letters, on: &canvas)
        fillEnd(front: front, 0.03...0.21, (height - 0.03)...(height + 0.03), letters, on: &canvas)
    }

    private func paintExhaust(on canvas: inout Canvas) {
        guard let onLeft = identity.exhaustOnLeft else { return }
        // The side that a camera sees is the right one unless it mirrors the scene.
        let across: Float = onLeft == projection.facesLeft ? 0.6 : -0.6
        let centre = projection.pixel(shape.onEnd(front: false, across, sill + 0.02))
        let radius = 0.085 * projection.pixelsPerMetre(at: .zero)
        canvas.fill(.ellipse(centre, Point(radius * 1.3, radius)), with: .solid(materials.exhaust))
        let plume = RadialGlow(
            centre: centre, radii: Point(repeating: radius * 4),
            amount: Spectrum(grey: 0, nir: 0, celsius: 0.3 * (materials.exhaust.bands[4] - conditions.air)))
        canvas.add([plume], within: plume.reach)
    }
}
