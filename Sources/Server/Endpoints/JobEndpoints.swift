import Documents
import Foundation
import Gallery
import Hummingbird
import Inference
import NIOCore
import ServiceLifecycle

/// GET `/v1/jobs`, GET and DELETE `/v1/jobs/{job}`, GET `/v1/jobs/{job}/events`.
struct JobEndpoints {
    let service: Service

    func add(to router: Router<ServerContext>) {
        router.get("/v1/jobs") { request, _ in
            let page = try request.page()
            let jobs = try await service.gallery.jobs(limit: page.limit, after: page.cursor)
            let running = await service.jobs.running
            // What runs is further than what was written down.
            let current = jobs.items.map { $0.id == running?.id ? running ?? $0 : $0 }
            return try Answer.json(Page(items: current.map(JobView.init), next: jobs.next))
        }
        router.get("/v1/jobs/{job}") { _, context in
            try Answer.json(JobView(await service.jobs.job(context.parameter("job"))))
        }
        router.delete("/v1/jobs/{job}") { _, context in
            try await service.jobs.cancel(context.parameter("job"))
            return Response(status: .accepted)
        }
        router.get("/v1/jobs/{job}/events") { _, context in try await events(context.parameter("job")) }
    }

    /// Server-sent events (WHATWG HTML, section 9.2): `progress` for each change, `end` once the job has ended. The stream
    /// also ends with the server.
    private func events(_ id: String) async throws -> Response {
        let jobs = service.jobs
        let first = try await jobs.job(id)
        let body = ResponseBody { writer in
            var (job, sent, silent) = (first, JobRecord?.none, 0)
            while true {
                if job != sent || silent >= 50 {
                    try await writer.write(ByteBuffer(bytes: Self.event(job)))
                    (sent, silent) = (job, 0)
                }
                if job.state != .running || Task.isShuttingDownGracefully { break }
                try await Task.sleep(for: .milliseconds(200))
                silent += 1
                job = try await jobs.job(id)
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    private static func event(_ job: JobRecord) throws -> Data {
        let name = job.state == .running ? "progress" : "end"
        return try Data("event: \(name)\ndata: ".utf8) + Answer.encoder().encode(JobView(job)) + Data("\n\n".utf8)
    }
}

/// A job as clients see it.
struct JobView: Encodable, Sendable {
    let id: String
    let kind: String
    let model: String
    let state: JobRecord.State
    let done: Int
    let total: Int
    let reason: String?
    let result: JSONValue?
    let createdAt: Date
    let updatedAt: Date

    init(_ job: JobRecord) {
        (id, kind, model, state) = (job.id, job.kind, job.model, job.state)
        (done, total, reason) = (job.done, job.total, job.reason)
        (createdAt, updatedAt) = (job.createdAt, job.updatedAt)
        result = job.result.flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    }
}
