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
