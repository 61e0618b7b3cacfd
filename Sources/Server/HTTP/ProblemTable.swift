import Documents
import Foundation
import Gallery
import Hummingbird
import Inference
import Serving

/// The one table from errors to answers.
enum ProblemTable {
    /// What is said about an error.
    struct Entry {
        var type: ProblemType
        var detail: String
        var modality: String?
        var field: String?
        /// Header fields of its answer.
        var headers: HTTPFields = [:]
        /// Whether nothing more can be made of the connection.
        var closes = false

        var status: HTTPResponse.Status { type.status }
    }

    /// The entry for an error; nil for one that nobody foresaw.
    static func entry(_ error: any Error) -> Entry? {
        switch error {
        case let error as RequestError: entry(error)
        case let error as AccessError: entry(error)
        case let error as DocumentError: entry(error)
        case let error as ServingError: entry(error)
        case let error as EncoderError: entry(error)
        case let error as GalleryError: entry(error)
        case let error as ModelError: entry(error)
        case is CancellationError: entry(RequestError.stopping)
        default: nil
        }
    }

    private static func entry(_ error: RequestError) -> Entry {
        let detail = error.description
        switch error {
        case .invalid(let field, _, _): return Entry(type: .invalidField, detail: detail, field: field)
        case .brokenFraming: return Entry(type: .malformedBody, detail: detail, closes: true)
        case .brokenTarget: return Entry(type: .malformedTarget, detail: detail)
        case .brokenSequence: return Entry(type: .malformedSequence, detail: detail)
        case .noSuchPath: return Entry(type: .noSuchPath, detail: detail)
        case .unsupportedMediaType: return Entry(type: .unsupportedMediaType, detail: detail)
        case .bodyTimeout, .bodyStalled: return Entry(type: .bodyTimeout, detail: detail, closes: true)
        case .bodyTooLarge: return Entry(type: .bodyTooLarge, detail: detail, closes: true)
        case .overloaded: return Entry(type: .overloaded, detail: detail, headers: [.retryAfter: "1"])
        case .rangeOutside(let length):
            // RFC 9110, section 14.4.
            return Entry(type: .rangeOutside, detail: detail, headers: [.contentRange: "bytes */\(length)"])
        case .webhooksOff: return Entry(type: .webhooksOff, detail: detail)
        case .stopping: return Entry(type: .stopping, detail: detail, headers: [.retryAfter: "5"])
        case .clientLeft: return Entry(type: .clientLeft, detail: detail, closes: true)
        }
    }

    private static func entry(_ error: AccessError) -> Entry {
        let detail = error.description
        switch error {
        case .unauthenticated:
            // RFC 6750, section 3. Whatever else comes on the connection, a body of gigabytes too, is not read.
            return Entry(
                type: .unauthenticated, detail: detail, headers: [.wwwAuthenticate: "Bearer realm=\"triptych\""],
                closes: true)
        case .invalidToken:
            return Entry(
                type: .unauthenticated, detail: detail,
                headers: [.wwwAuthenticate: "Bearer realm=\"triptych\", error=\"invalid_token\""],
                closes: true)
        case .providerUnavailable(let seconds):
            return Entry(type: .providerUnavailable, detail: detail, headers: [.retryAfter: "\(seconds)"], closes: true)
        case .claim(.roles, _): return Entry(type: .roleTooLow, detail: detail)
        case .claim(.galleries, _): return Entry(type: .otherGallery, detail: detail)
        case .role: return Entry(type: .roleTooLow, detail: detail)
        case .gallery: return Entry(type: .otherGallery, detail: detail)
        case .keyInAddress(let parameter): return Entry(type: .keyInAddress, detail: detail, field: parameter)
        case .host: return Entry(type: .unknownHost, detail: detail)
        case .origin: return Entry(type: .foreignOrigin, detail: detail)
        case .tooManyRequests(_, let seconds):
            return Entry(type: .tooManyRequests, detail: detail, headers: [.retryAfter: "\(seconds)"])
        }
    }

    private static func entry(_ error: DocumentError) -> Entry {
        switch error {
        case .invalid(let field, _, _):
            Entry(type: .invalidField, detail: "\(error)", field: field.isEmpty ? "body" : field)
        case .unknownField(let field, _): Entry(type: .unknownField, detail: "\(error)", field: field)
        case .syntax, .tooDeep, .tooManyNodes, .tooManyParts: Entry(type: .malformedBody, detail: "\(error)")
        }
    }

    private static func entry(_ error: ServingError) -> Entry {
        let detail = error.description
        switch error {
        case .noImage: return Entry(type: .noImage, detail: detail)
        case .nothingShared: return Entry(type: .nothingShared, detail: detail)
        case .galleryMemory: return Entry(type: .insufficientMemory, detail: detail)
        case .outOfStep: return Entry(type: .outOfStep, detail: detail, headers: [.retryAfter: "1"])
        case .deadline: return Entry(type: .deadline, detail: detail, headers: [.retryAfter: "5"])
        case .undecodable(let modality, let reason):
            let type: ProblemType =
                switch reason {
                case .tooManyBytes, .tooManyPixels: .imageTooLarge
                case .outside: .boxOutside
                default: .imageUndecodable
                }
            return Entry(type: type, detail: detail, modality: modality.rawValue)
        }
    }

    private static func entry(_ error: EncoderError) -> Entry? {
        switch error {
        case .noModality: Entry(type: .noImage, detail: "\(error)")
        case .unknownModality(let found, _):
            Entry(type: .unknownModality, detail: "\(error)", modality: found.rawValue)
        case .noText, .unknownWords: Entry(type: .textRefused, detail: "\(error)", field: "text")
        default: nil
        }
    }

    /// nil for what requests do not meet.
    private static func entry(_ error: GalleryError) -> Entry? {
        let detail = error.description
        switch error {
        case .notFound(let subject, _): return Entry(type: subject.notFound, detail: detail)
        case .alreadyExists(.gallery, _): return Entry(type: .galleryExists, detail: detail)
        case .alreadyExists(.identity, _): return Entry(type: .identityExists, detail: detail)
        case .outdated: return Entry(type: .correctionOutdated, detail: detail)
        case .idempotencyConflict: return Entry(type: .idempotencyConflict, detail: detail)
        case .invalid(let field, _, _): return Entry(type: .invalidField, detail: detail, field: field)
        case .noThreshold: return Entry(type: .noThreshold, detail: detail)
        case .modelMismatch: return Entry(type: .modelMismatch, detail: detail)
        case .modelChanged: return Entry(type: .outOfStep, detail: detail, headers: [.retryAfter: "1"])
        case .dimensionMismatch: return Entry(type: .dimensionMismatch, detail: detail)
        case .busy: return Entry(type: .databaseBusy, detail: detail, headers: [.retryAfter: "1"])
        // Where it is, is the operator's to know. Another connection may have it when this server has lost its own, or a later release
        // may have changed it: then other servers answer.
        case .unavailable, .inUse, .newerSchema:
            let detail = "the database cannot be reached at the moment"
            return Entry(type: .databaseBusy, detail: detail, headers: [.retryAfter: "5"])
        case .behind: return Entry(type: .behind, detail: detail, headers: [.retryAfter: "1"])
        case .full: return Entry(type: .storageFull, detail: detail)
        case .alreadyExists, .tooFew, .olderServers, .notADatabase, .storage, .unsupported: return nil
        }
    }

    /// nil for what is the operator's to see: the log has it.
    private static func entry(_ error: ModelError) -> Entry? {
        let type: ProblemType
        switch error {
        case .notFound: type = .modelNotFound
        case .refused: type = .modelRefused
        case .active: type = .modelActive
        case .busy, .erasing: type = .jobRunning
        case .tooManyJobs: type = .tooManyJobs
        case .imagesMissing: type = .imagesMissing
        case .modalitiesLost: type = .modalitiesLost
        case .insufficientMemory: type = .insufficientMemory
        case .uploadNotFound: type = .uploadNotFound
        case .uploadBusy: return Entry(type: .uploadBusy, detail: error.description, headers: [.retryAfter: "1"])
        case .uploadOffset: type = .uploadOffset
        case .tooManyUploads: type = .tooManyUploads
        case .full: type = .storageFull
        case .storage: return nil
        }
        return Entry(type: type, detail: error.description)
    }
}

extension GalleryError.Subject {
    fileprivate var notFound: ProblemType {
        switch self {
        case .gallery: .galleryNotFound
        case .identity: .identityNotFound
        case .sighting: .sightingNotFound
        case .image: .imageNotFound
        case .job: .jobNotFound
        case .correction: .correctionNotFound
        case .key: .keyNotFound
        case .webhook: .webhookNotFound
        case .evaluation: .evaluationNotFound
        case .map: .mapNotFound
        }
    }
}
