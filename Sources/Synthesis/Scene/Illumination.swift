/// The light on a scene: daylight everywhere, or at night a street lamp and the camera's near-infrared illuminator.
struct Illumination {
    /// Factors on the canvas's values; that on temperatures is 1, because nothing here warms anything.
    private let ambient: Spectrum
    private let sources: [RadialGlow]

    init(_ conditions: SightingConditions, width: Int, height: Int) {
        let size = Point(Float(width), Float(height))
        let (light, nir) = (conditions.light, conditions.nirLight)
        guard conditions.isNight else {
            ambient = Spectrum(light, 0.98 * light, 0.95 * light, nir: nir, celsius: 1)
            sources = []
            return
        }
        ambient = Spectrum(0.03 * light, 0.033 * light, 0.045 * light, nir: 0.1 * nir, celsius: 1)
        let street = Point(0.5 + conditions.sun.x * 0.7, 0.2) * size
        let lamp = Spectrum(0.13 * light, 0.095 * light, 0.05 * light, nir: 0.02, celsius: 0)
        let illuminator = Spectrum(grey: 0, nir: 1.25 * nir, celsius: 0)
        sources = [
            RadialGlow(centre: street, radii: size * Point(0.75, 1.1), amount: lamp),
            RadialGlow(centre: size * Point(0.5, 0.55), radii: size * Point(1, 1.4), amount: illuminator),
        ]
    }

    /// Turns reflectances into radiances; temperatures stay.
    func apply(to canvas: inout Canvas) {
        canvas.update { point, surface in
            var light = ambient.bands
            for source in sources {
                light += source.value(at: point)
            }
            return surface * light
        }
    }
}
