import Foundation
import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Serving

/// GET and POST `/v1/models/uploads`, GET, PATCH and DELETE `/v1/models/uploads/{upload}`: checkpoints in pieces, for connections
/// that do not last. Fields and media type are those of draft-ietf-httpbis-resumable-upload.
struct UploadEndpoints {
    let models: ModelService
    let bodies: BodyReader
    let limits: ServerConfiguration.Limits

    private struct View: Encodable {
        let id: String
        let model: String?
        let bytes: Int
        let offset: Int
        let expiresAt: Date

        init(_ upload: PartialUpload) {
            (id, model, bytes) = (upload.id, upload.model, upload.bytes)
            (offset, expiresAt) = (upload.offset, upload.expiresAt)
        }
    }

    private struct List: Encodable {
        let items: [View]
    }

    func add(to router: Router<ServerContext>) {
        router.get("/v1/models/uploads") { _, _ in
            try Answer.json(List(items: await models.uploads.uploads().map(View.init)))
        }
        router.post("/v1/models/uploads") { request, _ in try await begin(request) }
        router.get("/v1/models/uploads/{upload}") { _, context in
            try answer(await models.uploads.upload(context.parameter("upload")))
        }
        router.patch("/v1/models/uploads/{upload}") { request, context in
            try await resume(context.parameter("upload"), request)
        }
        router.delete("/v1/models/uploads/{upload}") { _, context in
            try await models.uploads.remove(context.parameter("upload"))
            return Answer.nothing
        }
    }

    private func answer(_ upload: PartialUpload, status: HTTPResponse.Status = .ok) throws -> Response {
        try Answer.json(
            View(upload), status: status,
            headers: [
                .location: "/v1/models/uploads/\(upload.id)", .uploadOffset: "\(upload.offset)",
                .uploadLength: "\(upload.bytes)", .uploadComplete: "?0", .cacheControl: "no-store",
            ])
    }

    private func begin(_ request: Request) async throws -> Response {
        var fields = try await bodies.fields(request)
        let bytes = try fields.require("bytes", .integer(1...Int.max))
        let model = try fields.string("model")
        try fields.finish()
        if let model, !ModelCatalog.isDigest(model) {
            throw RequestError.invalid(field: "model", expected: "64 hexadecimal digits", found: "\"\(model)\"")
        }
        guard bytes <= limits.checkpointBytes else { throw RequestError.bodyTooLarge(limit: limits.checkpointBytes) }
        return try answer(await models.uploads.begin(bytes: bytes, model: model), status: .created)
    }

    private func resume(_ id: String, _ request: Request) async throws -> Response {
        try request.require(mediaType: "application/partial-upload")
        let text = request.headers[.uploadOffset] ?? ""
        guard let offset = Int(text), offset >= 0 else {
            throw RequestError.invalid(field: "Upload-Offset", expected: "a number of bytes", found: "\"\(text)\"")
        }
        let (seconds, body, models) = (limits.checkpointSeconds, request.body, models)
        let declared = request.headers[.contentLength].flatMap { Int($0) } ?? 0
        // Verifying takes long; the server's end does not wait for it, and the upload is still there afterwards.
        let resumed = try await cancelWhenGracefulShutdown {
            try await models.resume(id, at: offset) { upload, most in
                guard declared <= most else { throw RequestError.bodyTooLarge(limit: most) }
                try await Deadline.run(seconds: seconds, or: RequestError.bodyTimeout(seconds: seconds)) {
                    try await body.eachPiece(most: most) { try await upload.append($0) }
                }
            }
        }
        switch resumed {
        case .partial(let upload): return try answer(upload)
        case .whole(let model, let isNew): return try ModelEndpoints.taken(model, isNew: isNew)
        }
    }
}

extension HTTPField.Name {
    /// Where a piece begins. The literals are valid field names.
    static let uploadOffset = HTTPField.Name("Upload-Offset") ?? .from
    /// Bytes of the whole.
    static let uploadLength = HTTPField.Name("Upload-Length") ?? .from
    /// Whether all of it has come.
    static let uploadComplete = HTTPField.Name("Upload-Complete") ?? .from
}
