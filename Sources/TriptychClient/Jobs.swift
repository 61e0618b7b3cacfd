import Foundation

/// What takes long.
public struct Job: Codable, Sendable, Equatable {
    /// Its identifier.
    public let id: String
    /// `activation`, `comparison`, `reembedding`, `import`, `grouping`, `calibration`, or what later servers have.
    public let kind: String
    /// The digest of the model that it is about.
    public let model: String?
    /// The gallery that it is about.
    public let gallery: String?
    /// `waiting`, `running`, `succeeded`, `failed` or `cancelled`.
    public let state: String
    /// What is done, in sightings.
    public let done: Int
    /// Of how many; 0 while that is not known.
    public let total: Int
    /// Sightings a second, while it runs.
    public let rate: Double?
    /// Until it is done at this rate, while it runs.
    public let secondsLeft: Double?
    /// Why it failed.
    public let reason: String?
    /// What came out.
    public let result: JSONValue?
    /// When it was asked for.
    public let createdAt: Date
    /// nil while it waits.
    public let startedAt: Date?
    /// When it last changed.
    public let updatedAt: Date

    /// Whether it has succeeded, failed or been cancelled.
    public var hasEnded: Bool { !["waiting", "running"].contains(state) }

    /// The state after “has”.
    var ending: String { state == "cancelled" ? "been cancelled" : state }
}

extension Client {
    /// All jobs, also those of earlier runs of the server, the first or the last one first.
    public func jobs(lastFirst: Bool = false, pageSize: Int = 200) -> Pages<Job> {
        Pages(transport, .get(path("jobs"), [("order", lastFirst ? "desc" : nil)]), pageSize: pageSize)
    }

    /// A job as it is now.
    public func job(_ id: String) async throws -> Job { try await transport.ask(.get(path("jobs", id))) }

    /// Ends a job early, or forgets one that has ended.
    public func cancelJob(_ id: String) async throws {
        var request = Request.delete(path("jobs", id))
        request.isRepeatable = false  // Twice would end it and forget it.
        try await transport.send(request)
    }

    /// The job at each change, at least every ten seconds, until it has ended; over broken connections too.
    public func followJob(_ id: String) -> JobProgress { JobProgress(transport: transport, id: id) }

    /// Returns a job once it has succeeded. Throws `ClientError.jobEnded` if it has failed or was cancelled.
    ///
    /// - Parameters:
    ///   - id: the job's.
    ///   - progress: is told of each change.
    public func wait(for id: String, progress: (Job) -> Void = { _ in }) async throws -> Job {
        var latest: Job?
        for try await job in followJob(id) {
            progress(job)
            latest = job
        }
        guard let latest else { throw ClientError.unexpectedAnswer("expected events of a job, found none") }
        guard latest.state == "succeeded" else { throw ClientError.jobEnded(latest) }
        return latest
    }
}

/// A job at each change, which `Client.followJob(_:)` gives.
public struct JobProgress: AsyncSequence, Sendable {
    fileprivate let transport: Transport
    fileprivate let id: String

    /// Begins with what the job is now.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(self) }

    /// Throws `Problem` and `ClientError`, but for a connection that breaks after it has told something.
    public struct AsyncIterator: AsyncIteratorProtocol {
        private let progress: JobProgress
        private var stream: ServerSentEvents?
        /// Whether this stream has told anything.
        private var hasTold = false
        private var hasEnded = false

        fileprivate init(_ progress: JobProgress) { self.progress = progress }

        /// The job; nil once it has been told that it has ended.
        public mutating func next() async throws -> Job? {
            while !hasEnded {
                if stream == nil { try await open() }
                do {
                    if let job = try await told() { return job }
                    guard hasTold else {
                        throw ClientError.unexpectedAnswer("expected events of a job, found none")
                    }
                } catch let error as ClientError where hasTold && error.isOfConnection {}
                // The server has ended, or what is between: the next stream begins with what the job is by then.
                stream = nil
                try await Task.sleep(for: .milliseconds(250))
            }
            return nil
        }

        private mutating func open() async throws {
            var request = Request.get(path("jobs", progress.id, "events"))
            request.accept = "text/event-stream"
            stream = ServerSentEvents(try await progress.transport.open(request))
            hasTold = false
        }

        private mutating func told() async throws -> Job? {
            while let event = try await stream?.next() {
                guard !event.data.isEmpty else { continue }
                let job: Job = try Wire.decode(from: event.data)
                (hasTold, hasEnded) = (true, job.hasEnded)
                return job
            }
            return nil
        }
    }
}

extension ClientError {
    /// Whether it is the connection's, and coming again may help.
    var isOfConnection: Bool {
        switch self {
        case .connectionFailed, .timedOut: true
        default: false
        }
    }
}
