/// The surfaces of one vehicle on one occasion: the five values of each.
struct VehicleMaterials: Sendable {
    let body: Spectrum
    /// Roof and pillars.
    let roof: Spectrum
    /// Markings; dye-based, and so nearly transparent in the near infrared and entirely in the thermal band.
    let ink: Spectrum
    let inkOpacity = Spectrum.opacity(visible: 1, nir: 0.1, tir: 0)
    let trim: Spectrum
    /// Glass as seen straight on, and where it mirrors the sky.
    let glass: Spectrum
    let glassSky: Spectrum
    let tyre: (rear: Spectrum, front: Spectrum)
    let rim: (rear: Spectrum, front: Spectrum)
    /// Gaps, grilles, wheel arches.
    let gap: Spectrum
    let headLamp: Spectrum
    let tailLamp: Spectrum
    let plate: Spectrum
    let metal: Spectrum
    let exhaust: Spectrum

    init(_ identity: VehicleIdentity, _ conditions: SightingConditions) {
        let air = conditions.air
        let heat = identity.heatFactor * conditions.warmth
        let skin = air + (conditions.isNight ? 0 : 2)
        let paint = identity.visible.paint.reflectance * identity.tint
        let coating = identity.infrared.coating.reflectance * identity.nirFactor
        let body = Spectrum(paint.x, paint.y, paint.z, nir: coating, celsius: skin)
        let inkColour = identity.visible.paint.ink
        let ink = Spectrum(inkColour.x, inkColour.y, inkColour.z, nir: 0.4, celsius: skin)
        self.body = body
        self.ink = ink
        roof = identity.visible.marking == .contrastRoof ? body.covered(by: ink, inkOpacity) : body
        trim = Spectrum(
            grey: 0.035, nir: identity.infrared.trim.reflectance * identity.nirFactor, celsius: air + 1)
        let clear = identity.infrared.glazing.reflectance
        let pane = air + identity.thermal.cabinExcess * heat
        glass = Spectrum(0.025, 0.03, 0.034, nir: clear, celsius: pane)
        glassSky = Spectrum(0.13, 0.16, 0.19, nir: clear + 0.05, celsius: pane - 2)
        tyre = Self.pair {
            Spectrum(grey: 0.02, nir: 0.07, celsius: air + 0.65 * identity.thermal.tyreExcess(front: $0) * heat)
        }
        rim = Self.pair {
            Spectrum(grey: 0.42, nir: 0.5, celsius: air + 1.1 * identity.thermal.tyreExcess(front: $0) * heat)
        }
        gap = Spectrum(grey: 0.008, nir: 0.015, celsius: air + 2)
        headLamp = Spectrum(0.62, 0.64, 0.66, nir: 0.6, celsius: air + (conditions.isNight ? 12 : 4))
        tailLamp = Spectrum(0.36, 0.012, 0.012, nir: 0.35, celsius: air + 3)
        plate = Spectrum(0.72, 0.7, 0.55, nir: 0.7, celsius: air + 1)
        metal = Spectrum(grey: 0.3, nir: 0.4, celsius: air + 2)
        exhaust = Spectrum(grey: 0.05, nir: 0.1, celsius: air + 12 + 1.6 * identity.thermal.powertrainExcess * heat)
    }

    private static func pair(_ make: (_ front: Bool) -> Spectrum) -> (rear: Spectrum, front: Spectrum) {
        (make(false), make(true))
    }
}
