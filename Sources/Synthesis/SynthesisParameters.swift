/// What a synthetic data set consists of. Equal parameters make equal data sets, byte for byte.
public struct SynthesisParameters: Sendable, Equatable, Encodable {
    /// Vehicles in all, 2…9999.
    public let identities: Int
    /// Camera stations, 2…9; with one, no query would have a match by another camera.
    public let cameras: Int
    /// Sightings of each vehicle by each camera, 1…999.
    public let sightings: Int
    /// Pictures' height in pixels, 16…1024.
    public let height: Int
    /// Pictures' width in pixels, 16…1024.
    public let width: Int
    /// Of all random choices.
    public let seed: UInt64
    /// The share of vehicles for training, between 0 and 1; at least one vehicle is left on either side.
    public let trainFraction: Double

    /// Checked parameters.
    ///
    /// - Throws: `SynthesisError.invalidParameter`, naming the first field that is out of its range.
    public init(
        identities: Int, cameras: Int, sightings: Int, height: Int, width: Int, seed: UInt64,
        trainFraction: Double = 0.7
    ) throws(SynthesisError) {
        try Self.check("identities", identities, 2...9999)
        try Self.check("cameras", cameras, 2...9)
        try Self.check("sightings", sightings, 1...999)
        try Self.check("height", height, 16...1024)
        try Self.check("width", width, 16...1024)
        guard trainFraction > 0, trainFraction < 1 else {
            throw .invalidParameter(
                field: "trainFraction", expected: "a number between 0 and 1", found: "\(trainFraction)")
        }
        self.identities = identities
        self.cameras = cameras
        self.sightings = sightings
        self.height = height
        self.width = width
        self.seed = seed
        self.trainFraction = trainFraction
    }

    /// How many of the vehicles are for training: those with the lowest numbers.
    public var trainIdentities: Int {
        min(max(Int((Double(identities) * trainFraction).rounded()), 1), identities - 1)
    }

    private static func check(_ field: String, _ value: Int, _ range: ClosedRange<Int>) throws(SynthesisError) {
        guard range.contains(value) else {
            let expected = "\(range.lowerBound) to \(range.upperBound)"
            throw .invalidParameter(field: field, expected: expected, found: "\(value)")
        }
    }
}

/// Why a data set could not be made.
public enum SynthesisError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A parameter is out of its range.
    case invalidParameter(field: String, expected: String, found: String)
    /// The output exists and is not a directory.
    case outputNotADirectory(path: String)
    /// The output directory holds something already.
    case outputNotEmpty(path: String)
    /// A file or directory could not be written.
    case writing(path: String, reason: String)
    /// The caller asked to stop.
    case cancelled

    /// What was expected, and what was found.
    public var description: String {
        switch self {
        case .invalidParameter(let field, let expected, let found):
            "\(field): expected \(expected), found \(found)"
        case .outputNotADirectory(let path):
            "output \(path): expected a new or an empty directory, found a file"
        case .outputNotEmpty(let path):
            "output \(path): expected a new or an empty directory, found a directory with contents"
        case .writing(let path, let reason):
            "cannot write \(path): \(reason)"
        case .cancelled:
            "cancelled; nothing was written"
        }
    }
}
