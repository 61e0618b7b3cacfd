import ArgumentParser
import Foundation
import TriptychClient

/// `triptych jobs`.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "Lists, follows and cancels the jobs of a running server.",
        subcommands: [ListJobsCommand.self, ShowJobCommand.self, FollowJobCommand.self, CancelJobCommand.self])
}

/// A job of a server's.
private struct JobOptions: ParsableArguments {
    @Argument(help: "Its identifier, as `triptych jobs list` shows it.")
    var job: String
    @OptionGroup var server: ServerOptions
}

/// `triptych jobs list`.
private struct ListJobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the jobs, also those of earlier runs of the server.")

    @OptionGroup var server: ServerOptions
    @Flag(help: "Print the list as JSON.")
    var json = false

    func run() async throws {
        let jobs = try await server.client().jobs().all()
        if json { return try Output.json(jobs) }
        Output.table(
            [["job", "kind", "about", "state", "done", "begun", "reason"]]
                + jobs.map {
                    [
                        $0.id, $0.kind, $0.gallery ?? $0.model.map(Digest.short) ?? "", $0.state,
                        "\($0.done)/\($0.total)",
                        $0.startedAt.map(Wire.text) ?? "", $0.reason ?? "",
                    ]
                })
    }
}

/// `triptych jobs show`.
private struct ShowJobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows a job as it is now.")

    @OptionGroup var job: JobOptions
    @Flag(help: "Print the job as JSON.")
    var json = false

    func run() async throws {
        let client = try job.server.client()
        try JobDisplay(client: client, json: json).show(await client.job(job.job))
    }
}

/// `triptych jobs follow`.
private struct FollowJobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "follow", abstract: "Shows how far a job is until it has ended, and what came out.",
        discussion: "Ends with 1 if the job has failed or was cancelled. Control-C leaves it running.")

    @OptionGroup var job: JobOptions
    @Flag(help: "Print the job as JSON once it has ended.")
    var json = false

    func run() async throws {
        let client = try job.server.client()
        try await JobDisplay(client: client, json: json).finish(client.job(job.job))
    }
}

/// `triptych jobs cancel`.
private struct CancelJobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Ends a job early, or forgets one that has ended.")

    @OptionGroup var job: JobOptions
    @Flag(help: "Print what was cancelled as JSON.")
    var json = false

    func run() async throws {
        try await job.server.client().cancelJob(job.job)
        if json { return try Output.json(["cancelled": job.job]) }
        print("cancelled \(job.job)")
    }
}
