import ArgumentParser
import Foundation
import Inference
import Tensor
import Threads
import Training

/// `triptych train`.
struct Train: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a model from a recipe and a data set of triples.",
        discussion: """
            Makes a run folder: recipe.yaml, data.txt, steps.jsonl (a line a step, with all that a replay needs), \
            metrics.jsonl (validation on held-out identities of the train split), checkpoints/, and model.safetensors at \
            the end. The same recipe, data, seed and machine give the same weights.

            Control-C or SIGTERM finishes the step, writes the run's state, publishes the model so far and ends with status \
            75. --resume RUN goes on from there, or from the last state that a killed run has written, to the very weights \
            that it would have had.

            Settings change the recipe by path: --set stages.0.steps=20 --set augment=none --set dropout=0
            """)

    @Option(help: "The recipe: the name of a built-in one, see triptych recipes, or a YAML file.")
    var config: String?
    @Option(help: "The data set's folder.")
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Option(help: "The run folder to make; it must not exist or be empty.")
    var output: String?
    @Option(
        help: "The folder of a run to go on with; its recipe, and its data unless they have moved, need not be given.")
    var resume: String?
    @Option(help: "Write the state every so many steps; by default every five minutes.")
    var saveEvery: Int?
    @Option(
        name: .customLong("init"),
        help: "A checkpoint whose weights to start from, where names and shapes agree; pruned ones stay zero.")
    var initial: String?
    @OptionGroup var transfer: TransferOptions
    @Option(help: "Of everything random; 1 unless given.")
    var seed: UInt64?
    @Option(name: .customLong("set"), help: "Change the recipe: key.path=value. May be given more than once.")
    var settings: [String] = []
    @Flag(inversion: .prefixedNo, help: "Write report.html and report.json at the end.")
    var report = true
    @Flag(help: "Print the outcome as JSON.")
    var json = false

    private struct Outcome: Encodable {
        let model: String
        let path: String
        let interrupted: Bool
    }

    func validate() throws {
        if let saveEvery, saveEvery < 1 {
            throw ValidationError("--save-every: expected 1 step or more, found \(saveEvery)")
        }
        let needed = [("config", config), ("data", data), ("output", output)]
        if resume == nil, let missing = needed.first(where: { $0.1 == nil }) {
            throw ValidationError("expected --\(missing.0), or --resume with the folder of a run, found neither")
        }
        if initial == nil { try transfer.refuse(without: "--init") }
        let fixed = [
            ("output", output), ("init", initial), ("seed", seed.map(String.init)), ("layout", layout.layout),
            ("trial", layout.trial == 1 ? nil : "\(layout.trial)"),
        ]
        if resume != nil, let given = fixed.first(where: { $0.1 != nil }) {
            throw ValidationError("expected no --\(given.0) beside --resume: a run keeps what it began with")
        }
        if resume != nil, config == nil, !settings.isEmpty {
            throw ValidationError("expected no --set beside --resume: a run keeps its recipe")
        }
    }

    private func trainer() throws -> Trainer {
        let saving = saveEvery.map(SaveInterval.steps) ?? .seconds(300)
        let recipe = try config.map { try Recipe(config: $0, settings: settings) }
        if let resume {
            return try Trainer(
                resuming: URL(fileURLWithPath: resume), recipe: recipe, data: data.map(URL.init(fileURLWithPath:)),
                saving: saving)
        }
        guard let recipe, let data, let output else {
            preconditionFailure("validate() asks for a recipe, data and an output")
        }
        return Trainer(
            recipe: recipe, dataset: try layout.open(data), output: URL(fileURLWithPath: output),
            initial: try initial.map(Checkpoint.load(path:)), seed: seed ?? 1, transfer: try transfer.options,
            saving: saving)
    }

    func run() async throws {
        let trainer = try trainer()
        Interruption.watch()
        let display = TrainingDisplay()
        let outcome = try await ComputeThread.shared.run {
            try trainer.run(isCancelled: { Interruption.hasHappened }, report: display.show)
        }
        if json {
            let digest = try SafetensorsReader(path: outcome.path).digest()
            try Output.json(Outcome(model: digest, path: outcome.path, interrupted: !outcome.isFinished))
        } else {
            print(outcome.path)
        }
        if !outcome.isFinished { throw ExitCode(Interruption.status) }
        if report {
            let folder = URL(fileURLWithPath: outcome.path).deletingLastPathComponent()
            await RunReporter(folder, layout).writeAfterwards(data)
        }
    }
}
