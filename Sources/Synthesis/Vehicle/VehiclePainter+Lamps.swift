extension VehiclePainter {
    /// Adds the light of the vehicle's own lamps, which are on at night.
    func shineLamps(on canvas: inout Canvas) {
        guard conditions.isNight else { return }
        for glow in projection.seesFront ? headLight : tailLight {
            canvas.add([glow], within: glow.reach)
        }
    }

    private var headLight: [RadialGlow] {
        let white = Spectrum(1, 0.95, 0.82, nir: 0.5, celsius: 0)
        let pool = glow(Point3(shape.length / 2 + 1.6, 0, 0), Point(2.2, 0.5), white.scaled(0.12))
        return lamps(front: true, across: 0.78, at: shape.headLamp) { centre in
            [glow(centre, Point(0.2, 0.17), white.scaled(3)), glow(centre, Point(0.75, 0.6), white.scaled(0.3))]
        } + [pool]
    }

    private var tailLight: [RadialGlow] {
        let red = Spectrum(1, 0.035, 0.025, nir: 0.3, celsius: 0)
        return lamps(front: false, across: 0.84, at: shape.tailLamp) { centre in
            [glow(centre, Point(0.17, 0.17), red.scaled(1.2)), glow(centre, Point(0.5, 0.45), red.scaled(0.12))]
        }
    }

    private func lamps(
        front: Bool, across: Float, at height: Float, _ make: (Point3) -> [RadialGlow]
    ) -> [RadialGlow] {
        make(shape.onEnd(front: front, across, height)) + make(shape.onEnd(front: front, -across, height))
    }

    private func glow(_ centre: Point3, _ metres: Point, _ amount: Spectrum) -> RadialGlow {
        let scale = projection.pixelsPerMetre(at: centre)
        return RadialGlow(centre: projection.pixel(centre), radii: metres * scale, amount: amount)
    }
}
