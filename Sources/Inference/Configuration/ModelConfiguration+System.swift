extension ModelConfiguration {
    /// Which system a model is, with the sizes that only this system has.
    public enum System: Sendable, Equatable {
        case unicat
        case fusionConcat
        case fusionAverage
        case graft(GraFTHead)
        case ieee(IEEEHead)
        case mixer
        case dmf(DMFHead)

        /// The systems' names in a configuration.
        public enum Name: String, CaseIterable, Codable, Sendable {
            case unicat
            case fusionConcat = "fusion_concat"
            case fusionAverage = "fusion_average"
            case graft
            case ieee
            case mixer
            case dmf
        }

        /// The system's name.
        public var name: Name {
            switch self {
            case .unicat: .unicat
            case .fusionConcat: .fusionConcat
            case .fusionAverage: .fusionAverage
            case .graft: .graft
            case .ieee: .ieee
            case .mixer: .mixer
            case .dmf: .dmf
            }
        }
    }
}
