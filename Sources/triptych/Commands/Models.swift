import ArgumentParser
import Foundation
import TriptychClient

/// `triptych models`.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Lists, publishes, activates and erases the models of a running server.",
        subcommands: [
            ListModelsCommand.self, ShowModelCommand.self, PublishModelCommand.self, ActivateModelCommand.self,
            EraseModelCommand.self,
        ])
}

/// A model of a server's.
private struct ModelOptions: ParsableArguments {
    @Argument(help: "Its digest, or as much of its beginning as no other has.", completion: .models)
    var model: String
    @OptionGroup var server: ServerOptions

    /// The model that is meant. Throws `Problem`, `ClientError` and `ValidationError`.
    func found(_ client: Client) async throws -> ServedModel {
        if model.count == 64 { return try await client.model(model) }
        let meant = try await client.models().all().filter { $0.model.hasPrefix(model) }
        guard meant.count == 1 else {
            throw ValidationError("expected the digest of one model, found \(meant.count) that begin with '\(model)'")
        }
        return meant[0]
    }
}

/// `triptych models list`.
private struct ListModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the models that may answer.")

    @OptionGroup var server: ServerOptions
    @Flag(help: "Print the list as JSON.")
    var json = false

    func run() async throws {
        let models = try await server.client().models().all()
        if json { return try Output.json(models) }
        Output.table(
            [["model", "system", "modalities", "dimension", "MB", "sightings", ""]]
                + models.map {
                    [
                        Digest.short($0.model), $0.system, $0.modalities.joined(separator: "+"), "\($0.dimension)",
                        String(format: "%.1f", Double($0.bytes) / 1e6), "\($0.sightings)",
                        $0.active ? "active" : $0.activation != nil ? "activating" : "",
                    ]
                })
    }
}

/// `triptych models show`.
private struct ShowModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Shows all that a server tells of a model, as JSON.")

    @OptionGroup var model: ModelOptions
    @Flag(help: "Print it as JSON, as it is anyway.")
    var json = false

    func run() async throws { try Output.json(await model.found(model.server.client())) }
}

/// `triptych models activate`.
private struct ActivateModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "activate", abstract: "Makes a model the active one, or compares it with the active one.",
        discussion: """
            Embeds with it what is enrolled while the active model goes on answering, shows how far that is, and returns when it \
            has taken over. Ends with 1 if it has not. Control-C leaves the job running: triptych jobs follow shows it again, and \
            triptych jobs cancel ends it.
            """)

    @OptionGroup var model: ModelOptions
    @Flag(help: "Compare it with the active model, and change nothing.")
    var dryRun = false
    @Flag(help: "Activate it even if it does not know all modalities of the active one.")
    var allowFewerModalities = false
    @Flag(help: "Return when the job has begun.")
    var noWait = false
    @Flag(help: "Print the job as JSON.")
    var json = false

    func run() async throws {
        let client = try model.server.client()
        let job = try await client.activate(
            model.found(client).model, dryRun: dryRun, allowFewerModalities: allowFewerModalities)
        try await JobDisplay(client: client, json: json).finish(job, waiting: !noWait)
    }
}

/// `triptych models erase`.
private struct EraseModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erase", abstract: "Erases a model that is not active, and all its embeddings.")

    @OptionGroup var model: ModelOptions
    @OptionGroup var confirmation: Confirmation

    func run() async throws {
        let client = try model.server.client()
        let found = try await model.found(client)
        try confirmation.require("Erase the model \(found.model) and its embeddings of \(found.sightings) sightings?")
        try await client.eraseModel(found.model)
        try confirmation.tell(found.model)
    }
}
