import Randomness

/// Where a vehicle is warm. It follows from how it is built and used, and so stays much the same between sightings.
public struct ThermalLook: Hashable, Sendable {
    /// What drives it, and how hot that gets.
    public enum Powertrain: String, CaseIterable, Sendable, WeightedAttribute {
        /// Well shielded, or seen before it has warmed up.
        case cool
        /// An engine under the bonnet, moderately warm or hot.
        case frontWarm, frontHot
        /// An engine behind or below the rear seats.
        case rearHot
        /// A battery along the floor.
        case floor

        package var weight: Float {
            switch self {
            case .frontHot: 0.4
            case .cool: 0.3
            case .frontWarm: 0.13
            case .floor: 0.1
            case .rearHot: 0.07
            }
        }
    }

    /// Whether the cabin is heated.
    public enum Cabin: String, CaseIterable, Sendable, WeightedAttribute {
        case unheated, heated

        package var weight: Float {
            switch self {
            case .unheated: 0.7
            case .heated: 0.3
            }
        }
    }

    /// Which tyres and brakes run hot: that of the driven, or of the dragging, axle.
    public enum Axles: String, CaseIterable, Sendable, WeightedAttribute {
        case cool, frontHot, rearHot

        package var weight: Float {
            switch self {
            case .cool: 0.62
            case .frontHot: 0.22
            case .rearHot: 0.16
            }
        }
    }

    /// What drives the vehicle.
    public let powertrain: Powertrain
    /// Whether its windows are warm.
    public let cabin: Cabin
    /// Which of its wheels are warm.
    public let axles: Axles

    package init(_ random: inout SplitMix64) {
        powertrain = random.draw()
        cabin = random.draw()
        axles = random.draw()
    }
}

extension ThermalLook {
    /// How much the panels over the engine or battery exceed the rest of the body, in kelvin.
    var powertrainExcess: Float {
        switch powertrain {
        case .cool: 1
        case .frontWarm: 12
        case .frontHot: 27
        case .rearHot: 22
        case .floor: 12
        }
    }

    /// How much the glass exceeds its surroundings, in kelvin; unheated glass mirrors the cold sky.
    var cabinExcess: Float {
        switch cabin {
        case .unheated: -5
        case .heated: 11
        }
    }

    /// How much the tyres of one axle exceed the road, in kelvin.
    func tyreExcess(front: Bool) -> Float {
        switch axles {
        case .cool: 3
        case .frontHot: front ? 22 : 4
        case .rearHot: front ? 4 : 22
        }
    }
}
