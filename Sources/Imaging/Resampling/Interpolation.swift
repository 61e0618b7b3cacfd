/// How an image is resized.
public enum Interpolation: String, Codable, Sendable, CaseIterable {
    /// A triangle of one pixel to each side.
    case bilinear
    /// Keys' cubic convolution with a = -0.5, two pixels to each side.
    case bicubic

    /// How far the filter reaches, in source pixels at scale 1.
    var support: Double {
        switch self {
        case .bilinear: 1
        case .bicubic: 2
        }
    }

    /// The filter's value at a distance.
    func weight(_ distance: Double) -> Double {
        let x = abs(distance)
        switch self {
        case .bilinear: return x < 1 ? 1 - x : 0
        case .bicubic:
            let a = -0.5
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
        }
    }
}
