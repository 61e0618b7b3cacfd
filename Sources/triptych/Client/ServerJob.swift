import Documents
import Foundation
import Inference

/// A job of a server.
struct ServerJob: Decodable {
    let id: String
    let kind: String
    let state: String
    let done: Int
    let total: Int
    let reason: String?
    let result: JSONValue?

    /// For a command's own JSON.
    var json: JSONValue {
        var members: [String: JSONValue] = [
            "id": .string(id), "kind": .string(kind), "state": .string(state), "done": .integer(done),
            "total": .integer(total),
        ]
        members["reason"] = reason.map(JSONValue.string)
        members["result"] = result
        return .object(members)
    }

    /// Asks until it has ended, and shows how far it is. Throws `APIClient.Failure`.
    func waited(on client: APIClient) async throws -> ServerJob {
        let progress = Progress(kind, unit: "sightings")
        var job = self
        while job.state == "running" {
            if job.total > 0 { progress.update(job.done, of: job.total) }
            try await Task.sleep(for: .milliseconds(300))
            // A server that is busy for a moment goes on with the job.
            job = try await client.send("GET", ["v1", "jobs", id], tolerating: [503]) ?? job
        }
        return job
    }
}
