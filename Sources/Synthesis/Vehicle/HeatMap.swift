/// The regions of a vehicle's shell that are warmer than the rest.
struct HeatMap {
    private struct Region {
        /// On the side view, with radii in metres.
        var centre: Point
        var radii: Point
        /// In kelvin above the shell.
        var excess: Float
    }

    private let shape: BodyShape
    private var regions: [Region] = []

    init(_ identity: VehicleIdentity, _ conditions: SightingConditions) {
        shape = identity.body.shape
        let heat = identity.heatFactor * conditions.warmth
        addPowertrain(identity.thermal, heat)
        addAxles(identity.thermal, heat)
        if identity.thermal.cabin == .heated {
            let middle = (shape.rack.lowerBound + shape.rack.upperBound) / 2
            let reach = (shape.rack.upperBound - shape.rack.lowerBound) * 0.9
            regions.append(Region(centre: Point(middle, shape.height), radii: Point(reach, 0.9), excess: 7 * heat))
        }
    }

    /// The regions as they appear on a canvas.
    func glows(_ projection: Projection) -> [RadialGlow] {
        regions.map { region in
            // A little inside the surface, so that bonnet and end panels have their share.
            let centre = shape.onSide(region.centre) * Point3(1, 1, 0.8)
            return RadialGlow(
                centre: projection.pixel(centre), radii: region.radii * projection.pixelsPerMetre(at: centre),
                amount: Spectrum(grey: 0, nir: 0, celsius: region.excess))
        }
    }

    private mutating func addPowertrain(_ look: ThermalLook, _ heat: Float) {
        let excess = look.powertrainExcess * heat
        let height = shape.belt * 0.75
        switch look.powertrain {
        case .cool, .frontWarm, .frontHot:
            let centre = Point(shape.axles.front + 0.15, height)
            regions.append(Region(centre: centre, radii: Point(1.5, 0.85), excess: excess))
        case .rearHot:
            regions.append(
                Region(centre: Point(shape.axles.rear - 0.1, height), radii: Point(1.5, 0.85), excess: excess))
        case .floor:
            let (middle, reach) = (shape.length / 2, shape.length * 0.52)
            regions.append(Region(centre: Point(middle, sill), radii: Point(reach, 0.55), excess: excess * 1.3))
        }
    }

    private mutating func addAxles(_ look: ThermalLook, _ heat: Float) {
        let reach = Point(repeating: shape.wheelRadius * 2.2)
        for front in [false, true] {
            let centre = Point(front ? shape.axles.front : shape.axles.rear, shape.wheelRadius)
            let excess = look.tyreExcess(front: front) * heat * 0.5
            regions.append(Region(centre: centre, radii: reach, excess: excess))
        }
    }

    private var sill: Float {
        shape.profile.outline[0].y + 0.1
    }
}
