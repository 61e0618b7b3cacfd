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
        var status: HTTPResponse.Status
        /// The last part of the problem's type.
        var type: String
        var detail: String
        var modality: String?
        var field: String?
        var retryAfter: Int?
        /// What proves who a client is, for one that has not.
        var challenge: String?
        /// Whether nothing more can be made of the connection.
        var closes = false
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
        case let error as HTTPError: entry(error)
        case is CancellationError: entry(RequestError.stopping)
        default: nil
        }
    }

    private static func entry(_ error: RequestError) -> Entry {
        let detail = error.description
        switch error {
        case .invalid(let field, _, _):
            return Entry(status: .badRequest, type: "invalid-field", detail: detail, field: field)
        case .brokenFraming:
            return Entry(status: .badRequest, type: "malformed-body", detail: detail, closes: true)
        case .brokenTarget: return Entry(status: .badRequest, type: "malformed-target", detail: detail)
        case .noSuchPath: return Entry(status: .notFound, type: "no-such-path", detail: detail)
        case .unsupportedMediaType:
            return Entry(status: .unsupportedMediaType, type: "unsupported-media-type", detail: detail)
        case .bodyTimeout, .bodyStalled:
            return Entry(status: .requestTimeout, type: "body-timeout", detail: detail, closes: true)
        case .bodyTooLarge: return Entry(status: .contentTooLarge, type: "body-too-large", detail: detail, closes: true)
        case .overloaded: return Entry(status: .serviceUnavailable, type: "overloaded", detail: detail, retryAfter: 1)
        case .webhooksOff: return Entry(status: .conflict, type: "webhooks-off", detail: detail)
        case .stopping: return Entry(status: .serviceUnavailable, type: "stopping", detail: detail, retryAfter: 5)
        case .clientLeft:
            // nginx's status, for the metrics: nobody reads this answer.
            return Entry(
                status: .init(code: 499, reasonPhrase: "Client Closed Request"), type: "client-left", detail: detail,
                closes: true)
        }
    }

    private static func entry(_ error: AccessError) -> Entry {
        let detail = error.description
        switch error {
        case .unauthenticated:
            // RFC 6750, section 3.
            return Entry(
                status: .unauthorized, type: "unauthenticated", detail: detail, challenge: "Bearer realm=\"triptych\"")
        case .role: return Entry(status: .forbidden, type: "role-too-low", detail: detail)
        case .gallery: return Entry(status: .forbidden, type: "other-gallery", detail: detail)
        case .keyInAddress(let parameter):
            return Entry(status: .badRequest, type: "key-in-address", detail: detail, field: parameter)
        case .host: return Entry(status: .forbidden, type: "unknown-host", detail: detail)
        case .origin: return Entry(status: .forbidden, type: "foreign-origin", detail: detail)
        case .tooManyRequests(_, let seconds):
            return Entry(status: .tooManyRequests, type: "too-many-requests", detail: detail, retryAfter: seconds)
        }
    }

    private static func entry(_ error: DocumentError) -> Entry {
        switch error {
        case .invalid(let field, _, _):
            Entry(
                status: .badRequest, type: "invalid-field", detail: "\(error)", field: field.isEmpty ? "body" : field)
        case .unknownField(let field, _):
            Entry(
                status: .badRequest, type: "unknown-field", detail: "\(error)", field: field)
        case .syntax, .tooDeep, .tooManyNodes, .tooManyParts:
            Entry(status: .badRequest, type: "malformed-body", detail: "\(error)")
        }
    }

    private static func entry(_ error: ServingError) -> Entry {
        let detail = error.description
        switch error {
        case .noImage: return Entry(status: .badRequest, type: "no-image", detail: detail)
        case .nothingShared: return Entry(status: .unprocessableContent, type: "nothing-shared", detail: detail)
        case .galleryMemory:
            return Entry(
                status: .init(code: 507, reasonPhrase: "Insufficient Storage"), type: "insufficient-memory",
                detail: detail)
        case .deadline: return Entry(status: .serviceUnavailable, type: "deadline", detail: detail, retryAfter: 5)
        case .undecodable(let modality, let reason):
            let type =
                switch reason {
                case .tooManyBytes, .tooManyPixels: "image-too-large"
                case .outside: "box-outside"
                default: "image-undecodable"
                }
            return Entry(
                status: .unprocessableContent, type: type, detail: detail, modality: modality.rawValue)
        }
    }

    private static func entry(_ error: EncoderError) -> Entry? {
        switch error {
        case .noModality: Entry(status: .badRequest, type: "no-image", detail: "\(error)")
        case .unknownModality(let found, _):
            Entry(
                status: .unprocessableContent, type: "unknown-modality", detail: "\(error)", modality: found.rawValue)
        case .noText, .unknownWords:
            Entry(status: .unprocessableContent, type: "text-refused", detail: "\(error)", field: "text")
        default: nil
        }
    }

    private static func entry(_ error: GalleryError) -> Entry? {
        let detail = error.description
        switch error {
        case .notFound(let subject, _):
            return Entry(status: .notFound, type: "\(subject.rawValue)-not-found", detail: detail)
        case .alreadyExists(let subject, _):
            return Entry(status: .conflict, type: "\(subject.rawValue)-exists", detail: detail)
        case .outdated: return Entry(status: .conflict, type: "correction-outdated", detail: detail)
        case .idempotencyConflict:
            return Entry(status: .conflict, type: "idempotency-conflict", detail: detail)
        case .invalid(let field, _, _):
            return Entry(status: .badRequest, type: "invalid-field", detail: detail, field: field)
        case .tooFew: return Entry(status: .conflict, type: "too-few-sightings", detail: detail)
        case .noThreshold: return Entry(status: .conflict, type: "no-threshold", detail: detail)
        case .modelMismatch: return Entry(status: .conflict, type: "model-mismatch", detail: detail)
        case .dimensionMismatch: return Entry(status: .badRequest, type: "dimension-mismatch", detail: detail)
        case .busy: return Entry(status: .serviceUnavailable, type: "database-busy", detail: detail, retryAfter: 1)
        case .full:
            return Entry(
                status: .init(code: 507, reasonPhrase: "Insufficient Storage"), type: "storage-full", detail: detail)
        case .newerSchema, .notADatabase, .inUse, .storage: return nil
        }
    }

    /// nil for what is the operator's to see: the log has it.
    private static func entry(_ error: ModelError) -> Entry? {
        let full = HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
        let (status, type): (HTTPResponse.Status, String)
        switch error {
        case .notFound: (status, type) = (.notFound, "model-not-found")
        case .refused: (status, type) = (.unprocessableContent, "model-refused")
        case .active: (status, type) = (.conflict, "model-active")
        case .busy, .erasing: (status, type) = (.conflict, "job-running")
        case .tooManyJobs: (status, type) = (.conflict, "too-many-jobs")
        case .imagesMissing: (status, type) = (.conflict, "images-missing")
        case .modalitiesLost: (status, type) = (.conflict, "modalities-lost")
        case .insufficientMemory: (status, type) = (full, "insufficient-memory")
        case .full: (status, type) = (full, "storage-full")
        case .storage: return nil
        }
        return Entry(status: status, type: type, detail: error.description)
    }

    private static func entry(_ error: HTTPError) -> Entry {
        let type =
            error.status.reasonPhrase.lowercased().map { $0.isLetter ? String($0) : "-" }.joined()
        return Entry(status: error.status, type: type, detail: error.body ?? error.status.reasonPhrase)
    }
}
