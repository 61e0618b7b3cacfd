import ArgumentParser
import Foundation
import Reports
import Threads
import Training

/// `triptych sweep`.
struct SweepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Trains a recipe with many settings, and says which went best.",
        discussion: """
            The sweep's file says what is tried:

              search: random          # or grid, every combination
              trials: 12              # of a random search; and seed: 1, of what is drawn
              seeds: [1, 2]           # each combination is trained with each
              parameters:
                batch.identities: [4, 8, 16]
                stages.0.learning_rate: {from: 0.0001, to: 0.01, scale: log}   # grid: points: 3

            Each trial is a run folder below trials. sweep.html and sweep.json say after each trial how it stands, and triptych \
            compare DIR does so at any time. A trial that fails, as its recipe is refused or its loss is no number, is noted \
            and does not end the sweep. Control-C ends it as it ends train; --resume DIR goes on within the trial.
            """)

    @Option(help: "The recipe, a YAML file or a name that triptych recipes lists.")
    var config: String?
    @Option(help: "What is tried, a YAML file.")
    var sweep: String?
    @Option(help: "The data set's folder.")
    var data: String?
    @OptionGroup var layout: LayoutOptions
    @Option(help: "The folder to make; it must not exist or be empty.")
    var output: String?
    @Option(help: "The folder of a sweep to go on with; nothing else need be given, but --data if it has moved.")
    var resume: String?
    @Flag(help: "With --resume: train failed trials again.")
    var retry = false
    @Option(
        name: .customLong("set"), help: "Change the recipe for all trials: key.path=value. May be given more than once."
    )
    var settings: [String] = []
    @Flag(help: "Print the figures as JSON.")
    var json = false

    func validate() throws {
        let needed = [("config", config), ("sweep", sweep), ("data", data), ("output", output)]
        if resume == nil, let missing = needed.first(where: { $0.1 == nil }) {
            throw ValidationError("expected --\(missing.0), or --resume with the folder of a sweep, found neither")
        }
        let fixed = [("config", config), ("sweep", sweep), ("output", output), ("set", settings.first)]
        if resume != nil, let given = fixed.first(where: { $0.1 != nil }) {
            throw ValidationError("expected no --\(given.0) beside --resume: a sweep keeps what it began with")
        }
        if retry, resume == nil { throw ValidationError("expected --resume beside --retry, found none") }
    }

    private func open() throws -> Sweep {
        if let resume {
            return try Sweep(resuming: URL(fileURLWithPath: resume), dataset: try data.map { try layout.open($0) })
        }
        guard let config, let sweep, let data, let output else {
            preconditionFailure("validate() asks for a recipe, a sweep, data and an output")
        }
        return try Sweep(
            recipe: try Recipe(config: config, settings: settings),
            specification: try String(contentsOfFile: sweep, encoding: .utf8), dataset: try layout.open(data),
            output: URL(fileURLWithPath: output))
    }

    func run() async throws {
        let sweep = try open()
        Interruption.watch()
        let display = SweepDisplay()
        let isFinished = try await ComputeThread.shared.run { [retry] in
            try sweep.run(retrying: retry, isCancelled: { Interruption.hasHappened }, report: display.show)
        }
        let (runs, comparison) = try sweep.comparison()
        if json {
            print(try RunComparisonTable(comparison).json(), terminator: "")
        } else if !runs.isEmpty {
            Output.comparison(RunComparisonTable(comparison))
            print(sweep.path.appendingPathComponent(Sweep.page).relativePath)
        }
        if !isFinished {
            display.line("stopped; to go on: triptych sweep --resume \(sweep.path.relativePath)")
            throw ExitCode(Interruption.status)
        }
        let failed = sweep.results.count { $0.status == .failed }
        if failed > 0 { display.line("\(failed) of \(sweep.results.count) trials failed, see \(Sweep.data)") }
    }
}

/// Shows a sweep: each trial as training is shown.
private final class SweepDisplay: Sendable {
    private let training = TrainingDisplay()

    /// Shows an event.
    @Sendable
    func show(_ event: Sweep.Event) {
        switch event {
        case .began(let trial, let place, let count):
            line("trial \(place)/\(count), seed \(trial.seed): \(trial.settings.joined(separator: " "))")
        case .training(let event): training.show(event)
        case .failed(let trial, let reason): line("trial \(trial.name) failed: \(reason)")
        }
    }

    /// Shows a line that stays.
    func line(_ text: String) { training.line(text) }
}
