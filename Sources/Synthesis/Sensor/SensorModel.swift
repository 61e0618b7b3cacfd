import Randomness
import Foundation
import Imaging

/// A station's three sensors: lens blur, gain, noise, tone curve and quantisation.
struct SensorModel {
    let camera: CameraProfile
    let conditions: SightingConditions
    private var random: SplitMix64

    /// - Parameter random: draws the noise.
    init(_ camera: CameraProfile, _ conditions: SightingConditions, _ random: SplitMix64) {
        self.camera = camera
        self.conditions = conditions
        self.random = random
    }

    /// The three registered pictures of a lit scene.
    mutating func expose(_ canvas: Canvas) -> RenderedTriple {
        let noise = noiseFactor(canvas) * (conditions.isNight ? 0.011 : 0.003)
        let colours = (0..<3).map { band in
            photograph(canvas, band: band, gain: camera.visibleGain[band], noise: noise)
        }
        let rgb = (0..<canvas.width * canvas.height).flatMap { [colours[0][$0], colours[1][$0], colours[2][$0]] }
        let nirNoise = noiseFactor(canvas) * (conditions.isNight ? 0.008 : 0.004)
        return RenderedTriple(
            rgb: Image(width: canvas.width, height: canvas.height, channels: 3, pixels: rgb),
            nir: grey(canvas, photograph(canvas, band: 3, gain: camera.nirGain, noise: nirNoise)),
            tir: grey(canvas, measureHeat(canvas)))
    }

    private func grey(_ canvas: Canvas, _ pixels: [UInt8]) -> Image {
        Image(width: canvas.width, height: canvas.height, channels: 1, pixels: pixels)
    }

    /// Small pictures are shrunk from larger ones, which averages noise.
    private func noiseFactor(_ canvas: Canvas) -> Float {
        camera.noise * min(1, Float(canvas.height) / 128).squareRoot()
    }

    /// A band of reflected light, with shot noise (which grows with the signal's root) and the sRGB tone curve.
    private mutating func photograph(_ canvas: Canvas, band: Int, gain: Float, noise: Float) -> [UInt8] {
        var plane = Plane(canvas, band: band)
        plane.blur(sigma: max(camera.blur * Float(canvas.height), 0.3))
        return plane.values.map { radiance in
            let signal = radiance * gain
            let grain = random.gaussian() * noise * (1 + 2 * max(signal, 0).squareRoot())
            return Self.quantised(Self.toneCurve(signal + grain))
        }
    }

    /// Temperatures over the camera's span, warm being white. Thermal optics are softer than the others.
    private mutating func measureHeat(_ canvas: Canvas) -> [UInt8] {
        var plane = Plane(canvas, band: 4)
        plane.blur(sigma: max(camera.blur * 1.6 * Float(canvas.height), 0.4))
        let black = conditions.air - camera.thermalFloor
        // Without the sun's clutter, the camera's automatic gain has less to span.
        let span = camera.thermalSpan * (conditions.isNight ? 0.93 : 1)
        let noise = 0.008 * noiseFactor(canvas)
        return plane.values.map { celsius in
            Self.quantised((celsius - black) / span + random.gaussian() * noise)
        }
    }

    /// IEC 61966-2-1's transfer function.
    private static func toneCurve(_ linear: Float) -> Float {
        linear <= 0.003_130_8 ? 12.92 * max(linear, 0) : 1.055 * pow(min(linear, 1), 1 / 2.4) - 0.055
    }

    private static func quantised(_ value: Float) -> UInt8 {
        UInt8((min(max(value, 0), 1) * 255).rounded())
    }
}
