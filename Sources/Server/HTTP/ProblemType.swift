import HTTPTypes

/// The problems that a request may be answered with (RFC 9457), each always with the same status. `openapi.yaml` lists them by
/// operation.
package enum ProblemType: String, CaseIterable, Sendable {
    case malformedBody = "malformed-body"
    case malformedHead = "malformed-head"
    case malformedTarget = "malformed-target"
    case malformedSequence = "malformed-sequence"
    case missingHost = "missing-host"
    case keyInAddress = "key-in-address"
    case invalidField = "invalid-field"
    case unknownField = "unknown-field"
    case noImage = "no-image"
    case dimensionMismatch = "dimension-mismatch"
    case unauthenticated
    case roleTooLow = "role-too-low"
    case otherGallery = "other-gallery"
    case unknownHost = "unknown-host"
    case foreignOrigin = "foreign-origin"
    case noSuchPath = "no-such-path"
    case galleryNotFound = "gallery-not-found"
    case identityNotFound = "identity-not-found"
    case sightingNotFound = "sighting-not-found"
    case imageNotFound = "image-not-found"
    case jobNotFound = "job-not-found"
    case correctionNotFound = "correction-not-found"
    case keyNotFound = "key-not-found"
    case webhookNotFound = "webhook-not-found"
    case evaluationNotFound = "evaluation-not-found"
    case mapNotFound = "map-not-found"
    case modelNotFound = "model-not-found"
    case uploadNotFound = "upload-not-found"
    case methodNotAllowed = "method-not-allowed"
    case bodyTimeout = "body-timeout"
    case galleryExists = "gallery-exists"
    case identityExists = "identity-exists"
    case idempotencyConflict = "idempotency-conflict"
    case correctionOutdated = "correction-outdated"
    case noThreshold = "no-threshold"
    case modelMismatch = "model-mismatch"
    case modelActive = "model-active"
    case jobRunning = "job-running"
    case tooManyJobs = "too-many-jobs"
    case uploadBusy = "upload-busy"
    case uploadOffset = "upload-offset"
    case tooManyUploads = "too-many-uploads"
    case imagesMissing = "images-missing"
    case modalitiesLost = "modalities-lost"
    case webhooksOff = "webhooks-off"
    case bodyTooLarge = "body-too-large"
    case unsupportedMediaType = "unsupported-media-type"
    case imageUndecodable = "image-undecodable"
    case imageTooLarge = "image-too-large"
    case boxOutside = "box-outside"
    case unknownModality = "unknown-modality"
    case nothingShared = "nothing-shared"
    case textRefused = "text-refused"
    case modelRefused = "model-refused"
    case rangeOutside = "range-outside"
    case tooManyRequests = "too-many-requests"
    case headerTooLarge = "header-too-large"
    /// For the metrics: nobody reads this answer.
    case clientLeft = "client-left"
    case internalFailure = "internal"
    case transferEncoding = "transfer-encoding"
    case overloaded
    case deadline
    case databaseBusy = "database-busy"
    case behind
    case outOfStep = "out-of-step"
    case providerUnavailable = "provider-unavailable"
    case stopping
    case storageFull = "storage-full"
    case insufficientMemory = "insufficient-memory"

    /// The URN that clients compare.
    package var urn: String { "urn:triptych:problem:\(rawValue)" }

    /// The status of every answer with it.
    package var status: HTTPResponse.Status {
        switch self {
        case .malformedBody, .malformedHead, .malformedTarget, .malformedSequence, .missingHost, .keyInAddress,
            .invalidField,
            .unknownField, .noImage, .dimensionMismatch:
            .badRequest
        case .unauthenticated: .unauthorized
        case .roleTooLow, .otherGallery, .unknownHost, .foreignOrigin: .forbidden
        case .noSuchPath, .galleryNotFound, .identityNotFound, .sightingNotFound, .imageNotFound, .jobNotFound,
            .correctionNotFound, .keyNotFound, .webhookNotFound, .modelNotFound, .uploadNotFound, .evaluationNotFound,
            .mapNotFound:
            .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .bodyTimeout: .requestTimeout
        case .galleryExists, .identityExists, .idempotencyConflict, .correctionOutdated, .noThreshold, .modelMismatch,
            .modelActive, .jobRunning, .tooManyJobs, .imagesMissing, .modalitiesLost, .webhooksOff, .uploadBusy,
            .uploadOffset, .tooManyUploads:
            .conflict
        case .bodyTooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .imageUndecodable, .imageTooLarge, .boxOutside, .unknownModality, .nothingShared, .textRefused,
            .modelRefused:
            .unprocessableContent
        case .rangeOutside: .rangeNotSatisfiable
        case .tooManyRequests: .tooManyRequests
        case .headerTooLarge: .requestHeaderFieldsTooLarge
        // nginx's.
        case .clientLeft: HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")
        case .internalFailure: .internalServerError
        case .transferEncoding: .notImplemented
        case .overloaded, .deadline, .databaseBusy, .behind, .outOfStep, .providerUnavailable, .stopping:
            .serviceUnavailable
        case .storageFull, .insufficientMemory: HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        }
    }
}
