import Randomness

/// A fixed camera station with its three sensors: what all sightings by it have in common.
public struct CameraProfile: Sendable, Equatable {
    /// The surroundings that a camera looks at.
    public enum Surroundings: String, CaseIterable, Sendable {
        case terrace, hedge, carPark, motorway
    }

    /// 1 and up.
    public let number: Int
    /// Angle from the vehicle's side towards its front (negative: its rear), in radians.
    public let azimuth: Float
    /// Angle above the ground, in radians.
    public let elevation: Float
    /// Rotation about the optical axis, in radians.
    public let roll: Float
    /// Metres to the vehicle; the nearer, the stronger the perspective.
    public let distance: Float
    /// Whether vehicles drive to the left of the picture.
    public let facesLeft: Bool
    /// What is behind the vehicles.
    public let surroundings: Surroundings
    /// Gain of the visible sensor by channel: exposure and white balance.
    public let visibleGain: SIMD3<Float>
    /// Gain of the near-infrared sensor.
    public let nirGain: Float
    /// The thermal sensor shows this many kelvin between black and white, …
    public let thermalSpan: Float
    /// … black being this many kelvin below the temperature of the air.
    public let thermalFloor: Float
    /// Standard deviation of the lens's blur, as a fraction of the picture's height.
    public let blur: Float
    /// Factor on the sensors' noise.
    public let noise: Float

    /// The camera that has this number in the data set of this seed.
    ///
    /// Stations with successive numbers look at front and rear in turn, from wider and narrower angles, so that even
    /// few cameras differ much.
    ///
    /// - Parameters:
    ///   - number: 1 and up.
    ///   - seed: of the data set.
    public init(number: Int, seed: UInt64) {
        precondition(number >= 1, "cameras are numbered from 1")
        var shared = SplitMix64(seed: seed, purpose: .camera)
        let start = shared.index(below: 4)
        var random = SplitMix64(seed: seed, purpose: .camera, number)
        let degree = Float.pi / 180
        let angles: [Float] = [27, -25, 9, -11, 34, -33, 18, -18, 2]
        self.number = number
        azimuth = (angles[(number - 1) % angles.count] + random.uniform(-3...3)) * degree
        elevation = random.uniform(7...15) * degree
        roll = random.uniform(-1.5...1.5) * degree
        distance = random.uniform(11...18)
        facesLeft = (number + start) % 4 < 2
        surroundings = Surroundings.allCases[(number + start) % Surroundings.allCases.count]
        let exposure = random.uniform(0.85...1.15)
        visibleGain = SIMD3(random.uniform(0.92...1.08), 1, random.uniform(0.92...1.08)) * exposure
        nirGain = random.uniform(0.9...1.1)
        thermalSpan = random.uniform(38...43)
        thermalFloor = random.uniform(9...11)
        blur = random.uniform(0.002...0.005)
        noise = random.uniform(0.7...1.3)
    }
}
