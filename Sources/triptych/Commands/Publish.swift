import ArgumentParser
import Foundation
import Inference
import TriptychClient

/// `triptych publish`.
struct Publish: AsyncParsableCommand {
    static let configuration = PublishOptions.configuration(named: "publish")

    @OptionGroup var options: PublishOptions

    func run() async throws { try await options.run() }
}

/// `triptych models publish`.
struct PublishModelCommand: AsyncParsableCommand {
    static let configuration = PublishOptions.configuration(named: "publish", aliases: ["upload"])

    @OptionGroup var options: PublishOptions

    func run() async throws { try await options.run() }
}

/// A checkpoint, and what a server does with it.
struct PublishOptions: ParsableArguments {
    static func configuration(named name: String, aliases: [String] = []) -> CommandConfiguration {
        CommandConfiguration(
            commandName: name,
            abstract: "Hands a checkpoint to a running server, and makes it the active model if asked to.",
            discussion: """
                The server verifies the file before it lists the model. --dry-run compares it with the active model on a sample \
                of what is enrolled and changes nothing. --activate embeds the enrolled sightings with it while the active \
                model goes on answering, then switches at one instant. To go back, publish the earlier file again, or activate \
                its digest: the server keeps its embeddings until the model is deleted. The file goes in pieces: after a \
                failure the same command goes on where it broke off, within a day.
                """, aliases: aliases)
    }

    @Argument(help: "The checkpoint.", completion: .file(extensions: ["safetensors"]))
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

    private struct Outcome: Encodable {
        let model: String
        let job: Job?
    }

    func validate() throws {
        guard !(activate && dryRun) else { throw ValidationError("expected --activate or --dry-run, found both") }
    }

    func run() async throws {
        let digest = try Checkpoint.load(path: checkpoint).digest
        let client = try server.client()
        try await upload(digest, client)
        guard activate || dryRun else { return try show(digest, nil) }
        let display = JobDisplay(client: client, json: json)
        let begun = try await client.activate(digest, dryRun: dryRun)
        let job = wait || dryRun ? try await display.ended(begun) : begun
        try show(digest, job)
        if !json { try display.show(job) }
        if job.hasEnded && job.state != "succeeded" { throw ExitCode.failure }
    }

    private func upload(_ digest: String, _ client: Client) async throws {
        do {
            _ = try await client.model(digest)
        } catch let problem as Problem where problem.code == "model-not-found" {
            let file = URL(fileURLWithPath: checkpoint)
            let bytes = try FileManager.default.attributesOfItem(atPath: checkpoint)[.size] as? Int ?? 0
            // What an earlier call has begun is gone on with.
            let begun = try await client.uploads().first { $0.model == digest && $0.bytes == bytes }
            let upload = if let begun { begun } else { try await client.beginUpload(bytes: bytes, model: digest) }
            let progress = Progress("sending", unit: "MB")
            _ = try await client.resumeUpload(upload.id, from: file) { sent, total in
                progress.update((sent + 999_999) / 1_000_000, of: (total + 999_999) / 1_000_000)
            }
        }
    }

    private func show(_ digest: String, _ job: Job?) throws {
        if json { return try Output.json(Outcome(model: digest, job: job)) }
        print("model \(digest)")
    }
}
