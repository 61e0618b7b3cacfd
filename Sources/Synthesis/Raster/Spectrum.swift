/// One value for each of the five bands that the three cameras record.
///
/// A surface is described by its linear reflectance in red, green, blue and near infrared (0…1) and by its
/// temperature in degrees Celsius. The same type holds opacities (0…1 in every band), because what covers a surface
/// in one band may be transparent in another: dye-based vinyl hardly shows in the near infrared, and heat not at all
/// in the others. Painting all bands in one pass is also what makes the three images of a triple registered.
package struct Spectrum: Sendable, Equatable {
    /// Red, green, blue, near infrared, thermal; the last three lanes are unused.
    package var bands: SIMD8<Float>

    package init(bands: SIMD8<Float>) {
        self.bands = bands
    }

    /// A surface of the given reflectances and temperature.
    package init(_ red: Float, _ green: Float, _ blue: Float, nir: Float, celsius: Float) {
        bands = SIMD8(red, green, blue, nir, celsius, 0, 0, 0)
    }

    /// A surface that is neutral in the visible bands.
    package init(grey: Float, nir: Float, celsius: Float) {
        self.init(grey, grey, grey, nir: nir, celsius: celsius)
    }

    /// An opacity by modality.
    package static func opacity(visible: Float, nir: Float, tir: Float) -> Spectrum {
        Spectrum(grey: visible, nir: nir, celsius: tir)
    }

    /// Covers every band.
    package static let opaque = opacity(visible: 1, nir: 1, tir: 1)

    /// This surface under `factor` of the light; its temperature is its own.
    package func lit(_ factor: Float) -> Spectrum {
        Spectrum(bands: bands * SIMD8(factor, factor, factor, factor, 1, 0, 0, 0))
    }

    /// This opacity, scaled in every band.
    package func scaled(_ factor: Float) -> Spectrum {
        Spectrum(bands: bands * factor)
    }

    /// This surface at another temperature.
    package func at(celsius: Float) -> Spectrum {
        var copy = self
        copy.bands[4] = celsius
        return copy
    }

    /// What is seen of this surface under `cover`, band by band.
    package func covered(by cover: Spectrum, _ opacity: Spectrum) -> Spectrum {
        Spectrum(bands: bands + (cover.bands - bands) * opacity.bands)
    }
}
