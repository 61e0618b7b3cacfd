import Foundation
import Gallery
import Hummingbird
import NIOCore
import Serving

/// POST `/v1/galleries/{gallery}/imports`, and GET `…/export`: lines of JSON, a sighting each, or an archive of them and of images.
struct TransferEndpoints {
    private static let types: [ImportFile.Form: String] = [
        .lines: "application/x-ndjson", .archive: "application/x-tar",
    ]

    let gallery: GalleryStore
    let models: AnsweringModels
    let imports: ImportService
    let limits: ServerConfiguration.Limits

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/imports") { request, context in
            try await receive(request, for: context.parameter("gallery"))
        }
        router.get("/v1/galleries/{gallery}/export") { request, context in
            let wanted = request.headers[.accept] ?? ""
            return try await export(
                context.parameter("gallery"), wanted.contains("application/x-tar") ? .archive : .lines)
        }
    }

    private func receive(_ request: Request, for gallery: String) async throws -> Response {
        let type = request.mediaType
        guard let form = ImportFile.Form.allCases.first(where: { Self.types[$0] == type }) else {
            throw RequestError.unsupportedMediaType(
                found: type.isEmpty ? "none" : type, expected: Self.types.values.sorted())
        }
        let (file, job) = try await imports.receive(form, for: gallery)
        do {
            let (limits, body, imports) = (limits, request.body, imports)
            try await Deadline.run(
                seconds: limits.importSeconds, or: RequestError.bodyTimeout(seconds: limits.importSeconds)
            ) { try await body.eachPiece { try await imports.append($0, to: file) } }
        } catch {
            file.remove()
            throw error
        }
        return try Answer.accepted(await imports.start(file, job, in: gallery))
    }

    /// Sent as it is read; what is enrolled meanwhile may be in it or not.
    private func export(_ name: String, _ form: ImportFile.Form) async throws -> Response {
        try await gallery.requireGallery(name)
        let export = try GalleryExport(gallery: gallery, name: name, model: await models.current().model)
        let body = ResponseBody { writer in
            switch form {
            case .lines: try await export.lines { try await writer.write(ByteBuffer(data: $0)) }
            case .archive: try await export.archive { try await writer.write(ByteBuffer(data: $0)) }
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: Self.types[form] ?? "", .vary: "Accept"], body: body)
    }
}
