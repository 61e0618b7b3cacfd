import Foundation
import Gallery
import Hummingbird
import NIOCore
import Serving

/// POST `/v1/galleries/{gallery}/imports`, and GET `…/export`: lines of JSON, a sighting each.
struct TransferEndpoints {
    let gallery: GalleryStore
    let models: ModelRegistry
    let imports: ImportService
    let limits: ServerConfiguration.Limits

    func add(to router: Router<ServerContext>) {
        router.post("/v1/galleries/{gallery}/imports") { request, context in
            try await receive(request, for: context.parameter("gallery"))
        }
        router.get("/v1/galleries/{gallery}/export") { _, context in try await export(context.parameter("gallery")) }
    }

    private func receive(_ request: Request, for gallery: String) async throws -> Response {
        let type = request.mediaType
        guard type == "application/x-ndjson" else {
            throw RequestError.unsupportedMediaType(
                found: type.isEmpty ? "none" : type, expected: ["application/x-ndjson"])
        }
        let (file, job) = try await imports.receive(for: gallery)
        do {
            let (limits, body) = (limits, request.body)
            try await Deadline.run(
                seconds: limits.importSeconds, or: RequestError.bodyTimeout(seconds: limits.importSeconds)
            ) { try await append(body, to: file) }
        } catch {
            file.remove()
            throw error
        }
        let status = try await imports.start(file, job, in: gallery)
        return try Answer.json(
            JobView(status), status: .accepted, headers: [.location: "/v1/jobs/\(status.record.id)"])
    }

    private func append(_ body: RequestBody, to file: ImportFile) async throws {
        var buffer = ByteBuffer()
        for try await part in body {
            buffer.writeImmutableBuffer(part)
            if buffer.readableBytes >= 1 << 20 {
                try await imports.append(Data(buffer: buffer), to: file)
                buffer.clear()
            }
        }
        try await imports.append(Data(buffer: buffer), to: file)
    }

    /// Identities in their order, then sightings in theirs: imported anew, equal scores rank as they did. Read a few at a time,
    /// as the client takes them, so what changes meanwhile may be in it or not.
    private func export(_ name: String) async throws -> Response {
        let model = models.active.model
        try await gallery.requireGallery(name)
        let body = ResponseBody { [gallery] writer in
            var cursor: String?
            repeat {
                let page = try await gallery.identities(
                    in: name, PageRequest(limit: 1000, after: cursor))
                for identity in page.items { try await writer.write(Self.line(IdentityLine(identity))) }
                cursor = page.next
            } while cursor != nil
            var key: Int64? = 0
            while let start = key {
                let batch = try await gallery.exportBatch(in: name, model: model, after: start)
                for sighting in batch.sightings { try await writer.write(Self.line(SightingLine(sighting))) }
                key = batch.next
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    private static func line(_ value: some Encodable) throws -> ByteBuffer {
        ByteBuffer(data: try Answer.encoder().encode(value) + Data("\n".utf8))
    }
}

private struct IdentityLine: Encodable {
    let identity: String
    let label: String?
    let metadata: Metadata

    init(_ record: IdentityRecord) { (identity, label, metadata) = (record.id, record.label, record.metadata) }
}

/// Vectors and images are base64.
private struct SightingLine: Encodable {
    let identity: String
    let camera: String?
    let capturedAt: Date?
    let metadata: Metadata
    let idempotencyKey: String
    let images: [String: Data]?
    var model: String?
    var vectors: [String: Data]?
    var vector: Data?
    var modalities: [String]?

    init(_ sighting: ExportedSighting) {
        let record = sighting.record
        (identity, camera, capturedAt, metadata) = (record.identity, record.camera, record.capturedAt, record.metadata)
        idempotencyKey = "export:\(record.id)"
        let pairs = sighting.images.map { ($0.modality, $0.bytes) }
        images = pairs.isEmpty ? nil : Dictionary(uniqueKeysWithValues: pairs)
        guard let embedding = sighting.embedding else { return }
        model = embedding.model
        if let fused = embedding.vectors.first, fused.modalities.count > 1 {
            (vector, modalities) = (Self.bytes(fused.values), fused.modalities)
        } else {
            vectors = Dictionary(
                uniqueKeysWithValues: embedding.vectors.map { ($0.modalities[0], Self.bytes($0.values)) })
        }
    }

    private static func bytes(_ values: [Float]) -> Data {
        values.reduce(into: Data()) { data, value in
            withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
    }
}
