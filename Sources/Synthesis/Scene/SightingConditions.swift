import Randomness

/// What differs between two sightings by one camera: the hour, the weather, and how the detector cut the picture.
struct SightingConditions: Sendable {
    /// A third of all sightings are at night.
    let isNight: Bool
    /// How far the vehicle's heading differs from the camera's usual one, in radians.
    let turn: Float
    /// The vehicle's share of the picture's width.
    let fill: Float
    /// The vehicle's offset from the picture's middle, as a fraction of the picture's size.
    let offset: Point
    /// Temperature of the air, in degrees Celsius.
    let air: Float
    /// How warm everything driven is this time, relative to what is usual for the vehicle.
    let warmth: Float
    /// Factors on visible and near-infrared light.
    let light: Float
    let nirLight: Float
    /// Direction to the sun, or at night to the street lamp.
    let sun: Point3

    /// The conditions of one sighting.
    init(identity: Int, camera: Int, sighting: Int, seed: UInt64) {
        isNight = Self.isNight(identity: identity, camera: camera, sighting: sighting, seed: seed)
        var random = SplitMix64(seed: seed, purpose: .sighting, identity, camera, sighting)
        turn = random.uniform(-0.07...0.07)
        fill = random.uniform(0.88...0.96)
        offset = Point(random.uniform(-0.015...0.015), random.uniform(-0.03...0.03))
        air = isNight ? random.uniform(4...12) : random.uniform(13...24)
        warmth = random.uniform(0.88...1.12)
        light = random.uniform(0.88...1.12)
        nirLight = random.uniform(0.92...1.08)
        sun = normalized(Point3(random.uniform(-0.5...0.5), 0.8, isNight ? 0.6 : random.uniform(0.2...0.7)))
    }

    /// Every third sighting of a vehicle by a camera is at night, counted from a random one.
    static func isNight(identity: Int, camera: Int, sighting: Int, seed: UInt64) -> Bool {
        var random = SplitMix64(seed: seed, purpose: .schedule, identity, camera)
        return (sighting + random.index(below: 3)) % 3 == 0
    }

    /// How brightly a surface with this normal is lit, 1 being one that faces the light.
    func shade(_ normal: Point3) -> Float {
        0.5 + 0.55 * max(0, dot(normal, sun))
    }
}
