import Randomness

/// One vehicle: a body that many share, a look in each modality that several share, and small deviations of its own.
///
/// The three looks are drawn independently of each other, from few values with uneven frequencies. So in any single
/// modality some vehicles of the same body look alike, while hardly two agree in all three.
public struct VehicleIdentity: Sendable, Equatable {
    /// 1 and up.
    public let number: Int
    /// The shape, which all modalities show.
    public let body: BodyKind
    /// What only RGB shows.
    public let visible: VisibleLook
    /// What only NIR shows.
    public let infrared: InfraredLook
    /// What only TIR shows.
    public let thermal: ThermalLook
    /// Individual factor on the paint's reflectance in red, green and blue: one car's grey is not quite another's.
    public let tint: SIMD3<Float>
    /// Individual factor on the near-infrared reflectances.
    public let nirFactor: Float
    /// Individual factor on all excess temperatures.
    public let heatFactor: Float
    /// Spokes of each wheel.
    public let spokes: Int
    /// Whether the exhaust pipe is on the left rather than the right; `nil` for what has none.
    public let exhaustOnLeft: Bool?

    /// The vehicle that has this number in the data set of this seed.
    ///
    /// - Parameters:
    ///   - number: 1 and up.
    ///   - seed: of the data set.
    public init(number: Int, seed: UInt64) {
        var random = SplitMix64(seed: seed, purpose: .identity, number)
        self.number = number
        body = random.draw()
        visible = VisibleLook(&random)
        infrared = InfraredLook(&random)
        thermal = ThermalLook(&random)
        let lightness = random.uniform(0.93...1.07)
        tint = SIMD3(random.uniform(0.96...1.04), random.uniform(0.96...1.04), random.uniform(0.96...1.04)) * lightness
        nirFactor = random.uniform(0.93...1.07)
        heatFactor = random.uniform(0.92...1.08)
        spokes = 5 + random.index(below: 3)
        let exhaustOnLeft = random.chance(0.5)
        self.exhaustOnLeft = thermal.powertrain == .floor ? nil : exhaustOnLeft
    }
}

extension VehicleIdentity {
    /// What a person would say who sees the vehicle by day, in three ways: body, paint and marking.
    public var captions: [String] {
        let (body, paint) = (body.rawValue, visible.paint.rawValue)
        guard let marking = visible.marking.words else {
            return ["\(paint) \(body)", "a plain \(paint) \(body)", "\(body), \(paint), plain"]
        }
        return [
            "\(paint) \(body) with \(marking)", "\(body), \(paint), \(marking)", "\(marking) on a \(paint) \(body)",
        ]
    }
}

extension VisibleLook.Marking {
    /// In words; nil for none.
    fileprivate var words: String? {
        switch self {
        case .none: nil
        case .stripe: "a stripe"
        case .twoTone: "two tones"
        case .patch: "a patch"
        case .contrastRoof: "a contrasting roof"
        case .roofRack: "a roof rack"
        }
    }
}
