/// The body shapes that vehicles share. The shape is seen alike in all three modalities.
public enum BodyKind: String, CaseIterable, Sendable, WeightedAttribute {
    case saloon, hatchback, estate, suv, pickup, van, minibus, truck

    package var weight: Float {
        switch self {
        case .saloon: 0.27
        case .hatchback: 0.25
        case .suv: 0.18
        case .estate: 0.11
        case .van: 0.08
        case .pickup: 0.05
        case .minibus, .truck: 0.03
        }
    }

    /// The geometry of this kind.
    var shape: BodyShape {
        switch self {
        case .saloon: .saloon
        case .hatchback: .hatchback
        case .estate: .estate
        case .suv: .suv
        case .pickup: .pickup
        case .van: .van
        case .minibus: .minibus
        case .truck: .truck
        }
    }
}
