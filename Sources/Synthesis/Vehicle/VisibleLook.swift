import Randomness

/// What a vehicle looks like in RGB: one of few paints, and one of few markings.
public struct VisibleLook: Hashable, Sendable {
    /// The colour of the body.
    public enum Paint: String, CaseIterable, Sendable, WeightedAttribute {
        case white, black, grey, silver, blue, red, green, yellow

        package var weight: Float {
            switch self {
            case .white: 0.31
            case .black: 0.22
            case .grey: 0.16
            case .silver: 0.12
            case .blue: 0.08
            case .red: 0.07
            case .green, .yellow: 0.02
            }
        }
    }

    /// What has been added to the paint.
    public enum Marking: String, CaseIterable, Sendable, WeightedAttribute {
        case none
        /// A band along the side.
        case stripe
        /// The lower half of the sides in another colour.
        case twoTone
        /// A logo or number on the side.
        case patch
        /// The roof and its pillars in another colour.
        case contrastRoof
        /// A rack on the roof.
        case roofRack

        package var weight: Float {
            switch self {
            case .none: 0.52
            case .twoTone, .contrastRoof: 0.13
            case .stripe, .patch: 0.08
            case .roofRack: 0.06
            }
        }
    }

    /// The colour of the body.
    public let paint: Paint
    /// What has been added to it.
    public let marking: Marking

    package init(_ random: inout SplitMix64) {
        paint = random.draw()
        marking = random.draw()
    }
}

extension VisibleLook.Paint {
    /// Linear reflectance in red, green and blue.
    var reflectance: SIMD3<Float> {
        switch self {
        case .white: SIMD3(0.74, 0.74, 0.72)
        case .black: SIMD3(0.018, 0.018, 0.021)
        case .grey: SIMD3(0.12, 0.125, 0.135)
        case .silver: SIMD3(0.37, 0.38, 0.4)
        case .blue: SIMD3(0.025, 0.075, 0.3)
        case .red: SIMD3(0.4, 0.022, 0.025)
        case .green: SIMD3(0.03, 0.15, 0.06)
        case .yellow: SIMD3(0.68, 0.42, 0.03)
        }
    }

    /// The colour that markings on this paint have.
    var ink: SIMD3<Float> {
        switch self {
        case .white, .silver, .yellow: SIMD3(0.02, 0.045, 0.14)
        case .black, .grey, .blue, .red, .green: SIMD3(0.7, 0.7, 0.66)
        }
    }
}
