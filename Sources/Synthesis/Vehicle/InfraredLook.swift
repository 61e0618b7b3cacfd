import Randomness

/// What a vehicle looks like in the near infrared, none of which its colour tells.
///
/// Pigments of one visible colour reflect anything from a few per cent (carbon black) to most (perylene black) of the
/// near infrared; so do plastics; and privacy glass, dark to the eye as any window in daylight, blocks it or not.
public struct InfraredLook: Hashable, Sendable {
    /// How much the paint's pigments reflect.
    public enum Coating: String, CaseIterable, Sendable, WeightedAttribute {
        case absorbing, medium, bright

        package var weight: Float {
            switch self {
            case .absorbing, .bright: 0.38
            case .medium: 0.24
            }
        }
    }

    /// Whether the windows let the illuminator's light into the cabin and out again.
    public enum Glazing: String, CaseIterable, Sendable, WeightedAttribute {
        case clear, privacy

        package var weight: Float {
            switch self {
            case .clear: 0.65
            case .privacy: 0.35
            }
        }
    }

    /// How much bumpers and sills reflect.
    public enum Trim: String, CaseIterable, Sendable, WeightedAttribute {
        case absorbing, bright

        package var weight: Float {
            switch self {
            case .absorbing: 0.68
            case .bright: 0.32
            }
        }
    }

    /// Of the body.
    public let coating: Coating
    /// Of the windows.
    public let glazing: Glazing
    /// Of bumpers and sills.
    public let trim: Trim

    package init(_ random: inout SplitMix64) {
        coating = random.draw()
        glazing = random.draw()
        trim = random.draw()
    }
}

extension InfraredLook.Coating {
    /// Linear reflectance in the near infrared.
    var reflectance: Float {
        switch self {
        case .absorbing: 0.05
        case .medium: 0.24
        case .bright: 0.72
        }
    }
}

extension InfraredLook.Glazing {
    /// The share of near-infrared light that comes back out of the cabin.
    var reflectance: Float {
        switch self {
        case .clear: 0.34
        case .privacy: 0.03
        }
    }
}

extension InfraredLook.Trim {
    /// Linear reflectance in the near infrared.
    var reflectance: Float {
        switch self {
        case .absorbing: 0.04
        case .bright: 0.6
        }
    }
}
