import Documents
import Foundation
import Gallery
import Hummingbird
import NIOCore
import ServiceLifecycle
import Serving

/// GET `/v1/jobs`, GET and DELETE `/v1/jobs/{job}`, GET `/v1/jobs/{job}/events`.
struct JobEndpoints {
    let jobs: JobBoard
    let authenticator: Authenticator

    func add(to router: Router<ServerContext>) {
        router.get("/v1/jobs") { request, context in
            let found = try await jobs.jobs(of: context.principal?.galleries, request.directedPage())
            return try Answer.json(Page(items: found.items.map(JobView.init), next: found.next))
        }
        router.get("/v1/jobs/{job}") { _, context in
            try Answer.json(JobView(await job(context)))
        }
        router.delete("/v1/jobs/{job}") { _, context in
            let job = try await job(context)
            // What concerns the whole server is an admin's.
            if job.record.gallery == nil {
                try context.principal?.require(Permission(role: .admin, scope: .server), gallery: nil)
            }
            return try await jobs.cancel(job.record.id) ? Answer.nothing : Response(status: .accepted)
        }
        router.get("/v1/jobs/{job}/events") { _, context in
            try await events(job(context), for: context.principal ?? .anyone)
        }
    }

    /// The one that the path names. Throws `GalleryError.notFound`, also if it is of a gallery that the client may not see.
    private func job(_ context: ServerContext) async throws -> JobStatus {
        let id = try context.parameter("job")
        let job = try await jobs.job(id)
        guard context.principal?.sees(job.record.gallery) ?? true else { throw GalleryError.notFound(.job, id) }
        return job
    }

    /// Server-sent events (WHATWG HTML, section 9.2): `progress` for each change, `end` once the job has ended. The stream
    /// also ends with the server, and when the client's key or token does.
    private func events(_ first: JobStatus, for principal: Principal) async throws -> Response {
        let body = ResponseBody { writer in
            var (job, sent, silent) = (first, JobStatus?.none, 0)
            while true {
                if job.record != sent?.record || silent >= 50 {
                    try await writer.write(ByteBuffer(bytes: Self.event(job)))
                    (sent, silent) = (job, 0)
                }
                if job.hasEnded || Task.isShuttingDownGracefully || !authenticator.isValid(principal) { break }
                try await Task.sleep(for: .milliseconds(200))
                silent += 1
                job = try await jobs.job(first.record.id)
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    private static func event(_ job: JobStatus) throws -> Data {
        let name = job.hasEnded ? "end" : "progress"
        return try Data("event: \(name)\ndata: ".utf8) + Answer.encoder().encode(JobView(job)) + Data("\n\n".utf8)
    }
}

/// A job as clients see it.
struct JobView: Encodable, Sendable {
    let id: String
    let kind: String
    let model: String?
    let gallery: String?
    let state: String
    let done: Int
    let total: Int
    /// Steps a second.
    let rate: Double?
    let secondsLeft: Double?
    let reason: String?
    let result: JSONValue?
    let createdAt: Date
    let startedAt: Date?
    let updatedAt: Date

    init(_ status: JobStatus) {
        let job = status.record
        (id, kind, model, gallery) = (job.id, job.kind, job.model, job.gallery)
        state = status.isWaiting ? "waiting" : job.state.rawValue
        (done, total, reason) = (job.done, job.total, job.reason)
        (rate, secondsLeft) = status.hasEnded ? (nil, nil) : (status.rate, status.secondsLeft)
        (createdAt, startedAt, updatedAt) = (job.createdAt, job.startedAt, job.updatedAt)
        result = job.result.flatMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0.utf8)) }
    }
}
