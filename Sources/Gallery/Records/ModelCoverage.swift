/// How many sightings have a vector of a model.
public struct ModelCoverage: Codable, Equatable, Sendable {
    /// The model's digest.
    public let model: String
    /// Elements of its vectors.
    public let dimension: Int
    /// How many sightings it has embedded.
    public let sightings: Int
}

/// What is missing before a model can serve everything that is enrolled.
public struct LackingSightings: Sendable, Equatable {
    /// Sightings without a vector of the model.
    public let sightings: Int
    /// Those of them whose images were not kept.
    public let withoutImages: Int
    /// Those of these that have no vector of the other model either.
    public let withoutVectors: Int
}

/// A sighting that a model has not embedded yet.
public struct PendingSighting: Equatable, Sendable {
    /// Grows with enrolment: the place to go on from.
    public let key: Int64
    /// The gallery's name.
    public let gallery: String
    /// The sighting's identifier.
    public let sighting: String
    /// Its kept images, possibly none.
    public let images: [KeptImage]
}

/// Some of the sightings that a model has not embedded.
public struct PendingBatch: Equatable, Sendable {
    /// In order of enrolment.
    public let sightings: [PendingSighting]
    /// Where to go on; nil if, as of the same moment, there were no others after these.
    public let next: Int64?
}

/// A sighting drawn for a comparison of models, with its images.
public struct SampledSighting: Sendable, Equatable {
    /// Equal for sightings of one identity.
    public let identity: Int64
    /// Its kept images, at least one.
    public let images: [KeptImage]
}
