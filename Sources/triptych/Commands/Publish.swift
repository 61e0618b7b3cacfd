import ArgumentParser
import Documents
import Foundation
import Inference

/// `triptych publish`.
struct Publish: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hands a checkpoint to a running server, and makes it the active model if asked to.",
        discussion: """
            The server verifies the file before it lists the model. --dry-run compares it with the active model on a sample \
            of what is enrolled and changes nothing. --activate embeds the enrolled sightings with it while the active \
            model goes on answering, then switches at one instant. To go back, publish the earlier file again, or activate \
            its digest: the server keeps its embeddings until the model is deleted.
            """)

    @Argument(help: "The checkpoint.")
    var checkpoint: String
    @OptionGroup var server: ServerOptions
    @Flag(help: "Make it the active model.")
    var activate = false
    @Flag(help: "Return when the model is active, not when its activation has begun.")
    var wait = false
    @Flag(help: "Compare it with the active model, and change nothing.")
    var dryRun = false
    @Flag(help: "Print the outcome as JSON.")
    var json = false

    private struct Model: Decodable {
        let model: String
    }

    private struct Outcome: Encodable {
        let model: String
        let job: JSONValue?
    }

    func validate() throws {
        guard !(activate && dryRun) else { throw ValidationError("expected --activate or --dry-run, found both") }
    }

    func run() async throws {
        let digest = try Checkpoint.load(path: checkpoint).digest
        let client = try server.client()
        if try await client.send("GET", ["v1", "models", digest], tolerating: [404], as: Model.self) == nil {
            let data = try Data(contentsOf: URL(fileURLWithPath: checkpoint), options: .mappedIfSafe)
            _ = try await client.send(
                "POST", ["v1", "models"], body: ("application/octet-stream", data), as: Model.self)
        }
        guard activate || dryRun else { return try show(digest, nil) }
        let job = try await client.send(
            "POST", ["v1", "models", digest, "activation"], query: dryRun ? ["dry_run": "true"] : [:],
            as: ServerJob.self)
        guard let job else { return }
        guard wait || dryRun else { return try show(digest, job) }
        let ended = try await job.waited(on: client)
        try show(digest, ended)
        if ended.state != "succeeded" { throw ExitCode.failure }
    }

    private func show(_ digest: String, _ job: ServerJob?) throws {
        if json { return try Output.json(Outcome(model: digest, job: job?.json)) }
        print("model \(digest)")
        guard let job else { return }
        if dryRun, let result = job.result {
            Comparison(result).show()
        } else {
            print("job \(job.id): \(job.state)\(job.reason.map { ", \($0)" } ?? "")")
        }
    }
}

/// What a dry run found, as a table.
private struct Comparison {
    let result: JSONValue

    init(_ result: JSONValue) { self.result = result }

    func show() {
        let agreement = result["agreement"]
        print("\(number(result["sightings"], "%.0f")) sightings compared with the active model")
        print(
            "nearest sighting the same: \(number(agreement?["top_1"], "%.3f")), shared among the ten nearest: "
                + "\(number(agreement?["top_10"], "%.3f"))\n")
        let scores = result["mean_scores"]
        var rows = [["", "active", "this model"]]
        rows.append(row("mean cosine, same identity", scores, "%.3f", within: "same_identity"))
        rows.append(row("mean cosine, different identities", scores, "%.3f", within: "different_identity"))
        for threshold in result["thresholds"]?.array ?? [] {
            rows.append(
                row("threshold for false matches of \(number(threshold["false_match_rate"], "%g"))", threshold, "%.3f"))
        }
        rows.append(row("milliseconds a triple, median", result["milliseconds"], "%.1f"))
        rows.append(row("bytes of the file", result["file_bytes"], "%.0f"))
        Output.table(rows)
    }

    private func row(_ name: String, _ pair: JSONValue?, _ format: String, within key: String? = nil) -> [String] {
        [name]
            + ["active", "candidate"].map { side in
                let value = pair?[side]
                return number(key.map { value?[$0] } ?? value, format)
            }
    }

    private func number(_ value: JSONValue?, _ format: String) -> String {
        value?.number.map { String(format: format, $0) } ?? "–"
    }
}
