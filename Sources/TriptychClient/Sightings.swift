import Documents
import Foundation

/// An enrolled triple.
public struct Sighting: Codable, Sendable, Equatable {
    /// Its identifier, a UUID of version 7.
    public let id: String
    /// Whose it is.
    public let identity: String
    /// Who has seen it.
    public let camera: String?
    /// When it was seen.
    public let capturedAt: Date?
    /// The client's own.
    public let metadata: Metadata
    /// When it was enrolled.
    public let createdAt: Date
    /// Of its kept images; empty if the server keeps none.
    public let modalities: [String]
    /// Of its kept images, each `[x, y, width, height]`; empty if they are crops.
    public let boxes: [String: [Int]]

    /// What names it.
    public var reference: SightingReference { SightingReference(identity: identity, sighting: id) }
}

/// What names an enrolled sighting. One that was moved since, or whose identity was renamed, is to be asked for anew.
public struct SightingReference: Sendable, Hashable {
    /// Whose it is.
    public let identity: String
    /// Its identifier.
    public let sighting: String

    /// A sighting by its identity and its own identifier.
    public init(identity: String, sighting: String) { (self.identity, self.sighting) = (identity, sighting) }
}

extension Match {
    /// What names the sighting.
    public var reference: SightingReference { SightingReference(identity: identity, sighting: sighting) }
}

/// What is known of a triple that is enrolled.
public struct EnrolmentOptions: Encodable, Sendable, Equatable {
    /// Where it was seen.
    public var camera: String?
    /// When it was seen; kept to the millisecond.
    public var capturedAt: Date?
    /// The client's own.
    public var metadata: Metadata?
    /// The identity's, used only if it is new.
    public var label: String?

    /// Nothing, but for what is given.
    public init(
        camera: String? = nil, capturedAt: Date? = nil, metadata: Metadata? = nil, label: String? = nil
    ) {
        (self.camera, self.capturedAt, self.metadata, self.label) = (camera, capturedAt, metadata, label)
    }
}

extension GalleryClient {
    func path(_ sighting: SightingReference, _ names: String...) -> String {
        let whole = path("identities", sighting.identity, "sightings", sighting.sighting)
        return names.reduce(whole) { "\($0)/\($1.percentEncoded)" }
    }

    /// Enrols a triple, or vectors, as a sighting of an identity, which is made if it is new. It returns after the commit.
    ///
    /// - Parameters:
    ///   - identity: whose it is.
    ///   - subject: the triple, or vectors.
    ///   - options: where and when it was seen, and what else is known.
    ///   - idempotencyKey: sent again with the same one, by this library after a failure or by you, it enrols once;
    ///     without one each call has its own.
    @discardableResult
    public func enrol(
        _ identity: String, _ subject: Subject, _ options: EnrolmentOptions = EnrolmentOptions(),
        idempotencyKey: String? = nil
    ) async throws -> Sighting {
        let body = try Request.Body.of(.like(subject), Wire.members(options))
        var request = Request.post(path("identities", identity, "sightings"), body, isRepeatable: true)
        request.key = idempotencyKey ?? UUID().uuidString
        return try await transport.ask(request)
    }

    /// The gallery's sightings, in order of enrolment.
    public func sightings(_ filter: ListFilter = ListFilter(), pageSize: Int = 200) -> Pages<Sighting> {
        Pages(transport, .get(path("sightings"), filter.query), pageSize: pageSize)
    }

    /// An identity's sightings, in order of enrolment.
    public func sightings(of identity: String, pageSize: Int = 200) -> Pages<Sighting> {
        Pages(transport, .get(path("identities", identity, "sightings")), pageSize: pageSize)
    }

    /// A sighting as it is now; not found also if it has moved to another identity.
    public func sighting(_ sighting: SightingReference) async throws -> Sighting {
        try await transport.ask(.get(path(sighting)))
    }

    /// Changes where and when it was seen, or its metadata, which are replaced whole.
    @discardableResult
    public func updateSighting(
        _ sighting: SightingReference, camera: Change<String> = .keep, capturedAt: Change<Date> = .keep,
        metadata: Metadata? = nil
    ) async throws -> Sighting {
        let document = given([
            "camera": camera.member(JSONValue.string), "metadata": metadata.map(JSONValue.object),
            "captured_at": capturedAt.member { .string(Wire.text($0)) },
        ])
        return try await transport.ask(.patch(path(sighting), JSONValue.object(document)))
    }

    /// Erases a sighting with its images and vectors; its identity stays.
    public func eraseSighting(_ sighting: SightingReference) async throws {
        try await transport.erase(path(sighting))
    }

    /// A kept image's file, JPEG or PNG, as it was enrolled; or a picture of it.
    ///
    /// - Parameters:
    ///   - sighting: whose image it is.
    ///   - modality: which of them.
    ///   - width: columns of an upright JPEG of it, 16 to 2048; nil for the file itself.
    ///   - crop: whether it is its box alone, as JPEG.
    public func image(
        _ sighting: SightingReference, _ modality: Modality, width: Int? = nil, crop: Bool = false
    ) async throws -> Data {
        var request = Request.get(
            path(sighting, "images", modality.rawValue),
            [("width", width.map { "\($0)" }), ("crop", crop ? "true" : nil)])
        request.accept = "*/*"
        return try await transport.send(request)
    }
}
