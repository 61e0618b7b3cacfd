import Foundation
import Gallery
import Hummingbird
import Inference
import NIOCore

/// GET and POST `/v1/models`, GET and DELETE `/v1/models/{model}`, POST `/v1/models/{model}/activation`.
struct ModelEndpoints {
    let service: Service

    func add(to router: Router<ServerContext>) {
        router.get("/v1/models") { request, _ in
            let page = try request.page()
            let models = try service.catalog.page(limit: page.limit, after: page.cursor)
            return try Answer.json(Page(items: await served(models.items), next: models.next))
        }
        router.post("/v1/models") { request, _ in try await upload(request) }
        router.get("/v1/models/{model}") { _, context in
            let summary = try service.catalog.summary(context.parameter("model"))
            return try Answer.json(await served([summary])[0])
        }
        router.delete("/v1/models/{model}") { _, context in try await delete(context.parameter("model")) }
        router.post("/v1/models/{model}/activation") { request, context in
            try await activate(context.parameter("model"), request)
        }
    }

    private func served(_ models: [ModelSummary]) async throws -> [ServedModel] {
        let active = service.models.active.model
        let coverage = try await service.gallery.models()
        return models.map { summary in
            ServedModel(
                summary: summary, isActive: summary.model == active,
                sightings: coverage.first { $0.model == summary.model }?.sightings ?? 0)
        }
    }

    private func upload(_ request: Request) async throws -> Response {
        let type = (request.headers[.contentType] ?? "").prefix { $0 != ";" }.lowercased()
        guard type == "application/octet-stream" else {
            throw RequestError.unsupportedMediaType(
                found: type.isEmpty ? "none" : type, expected: ["application/octet-stream"])
        }
        let partial = service.catalog.partial()
        let (limits, body) = (service.limits, request.body)
        do {
            try await Deadline.run(
                seconds: limits.checkpointSeconds, or: .bodyTimeout(seconds: limits.checkpointSeconds)
            ) { try await receive(body, into: partial) }
        } catch {
            try? FileManager.default.removeItem(at: partial)
            throw error
        }
        let (summary, isNew) = try await service.catalog.take(partial)
        return try Answer.json(
            await served([summary])[0], status: isNew ? .created : .ok,
            headers: [.location: "/v1/models/\(summary.model)"])
    }

    /// Writes a body to a file as it comes: a checkpoint need not fit into memory twice.
    private func receive(_ body: RequestBody, into file: URL) async throws {
        var (received, writer) = (0, CheckpointWriter(file: file, service: service))
        for try await buffer in body {
            received += buffer.readableBytes
            guard received <= service.limits.checkpointBytes else {
                throw RequestError.bodyTooLarge(limit: service.limits.checkpointBytes)
            }
            try await writer.write(buffer)
        }
        try await writer.finish()
    }

    private func delete(_ model: String) async throws -> Response {
        try await service.jobs.withoutJob(of: model) {
            guard service.models.active.model != model else { throw ModelError.active(model) }
            try await service.catalog.remove(model)
            try await service.gallery.deleteEmbeddings(model: model)
        }
        return Answer.nothing
    }

    private func activate(_ model: String, _ request: Request) async throws -> Response {
        _ = try service.catalog.summary(model)
        let isDry = try request.flag("dry_run")
        var job = JobRecord(kind: isDry ? ShadowEvaluation.kind : Activation.kind, model: model)
        if !isDry && service.models.active.model == model {
            // Nothing to do, and so it is done.
            job.state = .succeeded
            try await service.gallery.save(job)
        } else {
            if isDry {
                try service.catalog.requireMemory(for: model, vectors: 0)
            } else {
                try await Activation(model: model, service: service).check()
            }
            try await service.start(job)
        }
        return try Answer.json(
            JobView(job), status: .accepted, headers: [.location: "/v1/jobs/\(job.id)"])
    }
}

/// Writes the parts of a body to a file, on the file threads, and onto the disk at the end.
private struct CheckpointWriter {
    let file: URL
    let service: Service
    private var buffer = ByteBuffer()
    private var isBegun = false

    init(file: URL, service: Service) { (self.file, self.service) = (file, service) }

    mutating func write(_ part: ByteBuffer) async throws {
        var part = part
        buffer.writeBuffer(&part)
        if buffer.readableBytes >= 1 << 20 { try await flush() }
    }

    mutating func finish() async throws { try await flush() }

    /// A file that is opened for each megabyte needs nobody to close it.
    private mutating func flush() async throws {
        let (data, file, isBegun) = (Data(buffer: buffer), file, isBegun)
        do {
            try await service.onFileThread {
                guard isBegun else { return try data.write(to: file) }
                let handle = try FileHandle(forWritingTo: file)
                defer { try? handle.close() }
                try handle.seekToEnd()
                try handle.write(contentsOf: data)
                try handle.synchronize()
            }
        } catch let error as CocoaError {
            throw ModelError.storage(error.localizedDescription)
        }
        buffer.clear()
        self.isBegun = true
    }
}
