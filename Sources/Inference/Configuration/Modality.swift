/// A kind of picture taken of a sighting.
///
/// The order (`rgb` < `nir` < `tir`) is the one in which names are listed and presence is recorded; a model's own order
/// of concatenation is that of its configuration.
public enum Modality: String, CaseIterable, Codable, Sendable, Comparable, CodingKeyRepresentable {
    /// Visible light.
    case rgb
    /// Near infrared.
    case nir
    /// Thermal infrared.
    case tir

    private var rank: Int {
        switch self {
        case .rgb: 0
        case .nir: 1
        case .tir: 2
        }
    }

    /// Whether `left` is listed before `right`.
    public static func < (left: Modality, right: Modality) -> Bool {
        left.rank < right.rank
    }
}
