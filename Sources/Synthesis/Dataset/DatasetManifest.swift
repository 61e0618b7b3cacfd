/// What `dataset.json` says about a data set.
public struct DatasetManifest: Sendable, Equatable, Encodable {
    /// Vehicles for training and for testing.
    public struct Identities: Sendable, Equatable, Encodable {
        /// Numbers 1 to `train`.
        public let train: Int
        /// The others.
        public let test: Int
    }

    /// How many triples a split has.
    public struct Triples: Sendable, Equatable, Encodable {
        /// In all.
        public fileprivate(set) var total = 0
        /// Of these, at night.
        public fileprivate(set) var night = 0
    }

    /// Version of the pictures: it changes when equal parameters no longer make equal bytes.
    public let version = 1
    /// All that the pictures follow from.
    public let parameters: SynthesisParameters
    /// How the vehicles are divided.
    public let identities: Identities
    /// By the split's name.
    public let triples: [String: Triples]
    /// Where the pictures are.
    public let layout: String
    /// Quality that the pictures were compressed with.
    public let jpegQuality: Int
    /// Where the pictures come from.
    public let provenance = """
        Rendered by triptych synthesize from geometric models and the seed's random numbers. \
        No photograph went in, and no real vehicle, place or person is shown.
        """

    /// Counts what the parameters ask for. O(triples).
    init(_ parameters: SynthesisParameters, _ arrangement: DatasetArrangement, jpegQuality: Int) {
        layout = arrangement.pattern
        self.parameters = parameters
        self.jpegQuality = jpegQuality
        identities = Identities(
            train: parameters.trainIdentities, test: parameters.identities - parameters.trainIdentities)
        let plan = DatasetPlan(parameters)
        var triples: [String: Triples] = [:]
        for index in 0..<plan.count {
            let entry = plan[index]
            let isNight = SightingConditions.isNight(
                identity: entry.identity, camera: entry.camera, sighting: entry.sighting, seed: parameters.seed)
            triples[entry.split.rawValue, default: Triples()].total += 1
            triples[entry.split.rawValue, default: Triples()].night += isNight ? 1 : 0
        }
        self.triples = triples
    }
}
