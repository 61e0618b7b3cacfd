import Foundation
import Hummingbird
import ServiceLifecycle
import Serving

/// GET and POST `/v1/models`, GET and DELETE `/v1/models/{model}`, POST `/v1/models/{model}/activation`.
struct ModelEndpoints {
    let models: ModelService
    let limits: ServerConfiguration.Limits

    func add(to router: Router<ServerContext>) {
        router.get("/v1/models") { request, _ in
            let page = try request.page()
            return try Answer.json(await models.page(limit: page.limit, after: page.cursor))
        }
        router.post("/v1/models") { request, _ in try await upload(request) }
        router.get("/v1/models/{model}") { _, context in
            try Answer.json(await models.model(context.parameter("model")))
        }
        router.delete("/v1/models/{model}") { _, context in
            try await models.delete(context.parameter("model"))
            return Answer.nothing
        }
        router.post("/v1/models/{model}/activation") { request, context in
            try await activate(context.parameter("model"), request)
        }
    }

    private func upload(_ request: Request) async throws -> Response {
        try request.require(mediaType: "application/octet-stream")
        let (limits, body, upload) = (limits, request.body, models.upload())
        defer { upload.discard() }
        try await Deadline.run(
            seconds: limits.checkpointSeconds, or: RequestError.bodyTimeout(seconds: limits.checkpointSeconds)
        ) { try await body.eachPiece { try await upload.append($0) } }
        // Verifying takes long; the server's end does not wait for it.
        let (model, isNew) = try await cancelWhenGracefulShutdown { try await models.take(upload) }
        return try Self.taken(model, isNew: isNew)
    }

    /// A model that was taken in.
    static func taken(_ model: ServedModel, isNew: Bool) throws -> Response {
        try Answer.json(
            model, status: isNew ? .created : .ok, headers: [.location: "/v1/models/\(model.summary.model)"])
    }

    private func activate(_ model: String, _ request: Request) async throws -> Response {
        try Answer.accepted(
            await models.activate(
                model, isDry: request.flag("dry_run"),
                allowsFewerModalities: request.flag("allow_fewer_modalities")))
    }
}
