import Documents
import Foundation

/// What is known of a passage, and how it is decided whose it is.
public struct PassageOptions: Encodable, Sendable, Equatable {
    /// Where it was seen.
    public var camera: String?
    /// When it was seen.
    public var capturedAt: Date?
    /// The client's own.
    public var metadata: Metadata?
    /// Among which sightings it is looked for.
    public var filter: Filter?
    /// In place of the gallery's, for every set of modalities; -1 to 1.
    public var threshold: Double?
    /// How far the first identity must be ahead of the second, both measured from their thresholds; 0 to 2.
    public var margin: Double?
    /// Contenders that are told, 1 to 100; nil for 5.
    public var limit: Int?
    /// Whether nothing is enrolled.
    public var dryRun: Bool?

    /// As the server does by default, but for what is given.
    public init(
        camera: String? = nil, capturedAt: Date? = nil, metadata: Metadata? = nil, filter: Filter? = nil,
        threshold: Double? = nil, margin: Double? = nil, limit: Int? = nil, dryRun: Bool? = nil
    ) {
        (self.camera, self.capturedAt, self.metadata, self.filter) = (camera, capturedAt, metadata, filter)
        (self.threshold, self.margin, self.limit, self.dryRun) = (threshold, margin, limit, dryRun)
    }
}

/// The best sighting of an identity that a passage was compared with, and the score from which it would match.
public struct Contender: Codable, Sendable, Equatable {
    /// Whose it is.
    public let identity: String
    /// The identity's.
    public let label: String?
    /// The cosine.
    public let score: Double
    /// For these modalities.
    public let threshold: Double
    /// What was compared.
    public let modalities: [String]
    /// Its identifier.
    public let sighting: String
    /// Who has seen it.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
}

/// What an image shows.
public struct ImageQuality: Codable, Sendable, Equatable {
    /// The shorter side, in pixels.
    public let side: Int
    /// The variance of the Laplacian of the luminance, at the model's size.
    public let sharpness: Double
    /// The standard deviation of the luminance, at the model's size.
    public let contrast: Double
}

/// Whose a passage is, and what was enrolled.
public struct Identification: Codable, Sendable, Equatable {
    /// What compared.
    public let model: String
    /// Whose it is; nil if it is nobody's and was not enrolled.
    public let identity: String?
    /// Whether the identity was known before.
    public let matched: Bool
    /// Whether two identities were too close to tell.
    public let ambiguous: Bool
    /// Whether the identity was made.
    public let new: Bool
    /// Whether it was enrolled before, with the same key.
    public let replayed: Bool
    /// Whether a triple shows enough for a newcomer.
    public let sufficient: Bool
    /// By triple and modality.
    public let quality: [[String: ImageQuality]]
    /// What was enrolled.
    public let sightings: [Sighting]
    /// By how far they are above their thresholds, or below.
    public let contenders: [Contender]
    /// Of encoding, and of searching and enrolling.
    public let timing: Timing
}

extension GalleryClient {
    /// Says whose a passage before a camera is, and enrols it, in one step; under a new identity if it is nobody's.
    ///
    /// - Parameters:
    ///   - passage: 1 to 16 triples of one object.
    ///   - options: what is known of it. Without a threshold of its own, or of the gallery's, it is a `Problem` with the code
    ///     `no-threshold`.
    ///   - idempotencyKey: sent again with the same one, nothing is decided anew; without one each call has its own.
    public func identify(
        _ passage: [Subject], _ options: PassageOptions = PassageOptions(), idempotencyKey: String? = nil
    ) async throws -> Identification {
        let members = try Wire.members(options)
        let subjects = passage.map(QuerySubject.like)
        let body =
            try subjects.count == 1
            ? Request.Body.of(subjects[0], members) : .of(subjects, named: "triples", members)
        var request = Request.post(path("sightings"), body, isRepeatable: true)
        request.key = idempotencyKey ?? (options.dryRun == true ? nil : UUID().uuidString)
        return try await transport.ask(request)
    }

    /// The same for a passage of one triple.
    public func identify(
        _ subject: Subject, _ options: PassageOptions = PassageOptions(), idempotencyKey: String? = nil
    ) async throws -> Identification {
        try await identify([subject], options, idempotencyKey: idempotencyKey)
    }
}

// MARK: Thresholds

/// The least cosine at which sightings are one identity's.
public struct Threshold: Codable, Sendable, Equatable {
    /// Whose scores it is for.
    public let model: String
    /// What a query and a sighting share.
    public let modalities: [String]
    /// -1 to 1.
    public let threshold: Double
    /// Whether it is another model's, and not used.
    public let stale: Bool
}

private struct NewThresholds: Encodable {
    struct Row: Encodable {
        let modalities: [String]
        let threshold: Double
    }

    let model: String?
    let thresholds: [Row]
}

private struct NewCalibration: Encodable {
    let falseMatchRate: Double
    let samples: Int?
    let apply: Bool
}

extension GalleryClient {
    /// From which score on a sighting is of a known identity, by model and modalities.
    public func thresholds() async throws -> [Threshold] {
        let found: Items<Threshold> = try await transport.ask(.get(path("thresholds")))
        return found.items
    }

    /// Puts thresholds in place of a model's, by default the active one, and returns all there are then.
    ///
    /// - Parameters:
    ///   - thresholds: by sets of modalities, `["rgb+nir+tir": 0.62, "tir": 0.71]`.
    ///   - model: its digest.
    @discardableResult
    public func setThresholds(_ thresholds: [String: Double], model: String? = nil) async throws -> [Threshold] {
        let rows = thresholds.map { name, threshold in
            NewThresholds.Row(modalities: name.split(separator: "+").map(String.init), threshold: threshold)
        }
        let document = NewThresholds(model: model, thresholds: rows)
        let found: Items<Threshold> = try await transport.ask(.put(path("thresholds"), document))
        return found.items
    }

    /// Starts a job that proposes thresholds by what is enrolled.
    ///
    /// - Parameters:
    ///   - falseMatchRate: the share of newcomers that may be taken for somebody.
    ///   - samples: about how many sightings are looked at; nil for 2000.
    ///   - apply: whether they are put in place of the active model's.
    public func calibrate(falseMatchRate: Double, samples: Int? = nil, apply: Bool = false) async throws -> Job {
        let document = NewCalibration(falseMatchRate: falseMatchRate, samples: samples, apply: apply)
        return try await transport.ask(.post(path("calibrations"), document))
    }
}
