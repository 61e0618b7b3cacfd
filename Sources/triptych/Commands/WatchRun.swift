import ArgumentParser
import Foundation
import Reports
import Training

/// `triptych watch-run`.
struct WatchRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows how far a training or pruning run is, from another terminal.",
        discussion: """
            What is trained, steps done, losses, rate and time left, and each validation, until the run ends or Control-C, which \
            the run does not notice. Reads the folder's logs and nothing else. Where the output is no terminal, plain lines.
            """)

    @Argument(help: "The run's folder.")
    var run: String

    private static let interval = 0.5

    func run() async throws {
        let record = try RunRecord(URL(fileURLWithPath: run))
        var watch = RunWatch(record)
        try watch.begin()
        while try record.status == .running && watch.isGoingOn() { try await Task.sleep(for: .seconds(Self.interval)) }
        watch.end()
    }
}

/// Follows a run's logs and shows them as training shows itself.
private struct RunWatch {
    private let folder: URL
    private let record: RunRecord
    private let display = TrainingDisplay()
    private var steps: LogFollower
    private var metrics: LogFollower
    private var last: StepRecord?
    /// Looks without anything new.
    private var silent = 0

    /// Silence after which it is asked whether the run still goes on.
    private static let patience = 4

    init(_ record: RunRecord) {
        (self.record, folder) = (record, record.folder)
        steps = LogFollower(folder.appendingPathComponent("steps.jsonl"))
        metrics = LogFollower(folder.appendingPathComponent("metrics.jsonl"))
    }

    /// Shows what was before.
    mutating func begin() throws {
        try steps.forEach(as: StepRecord.self) { last = $0 }
        var validation: Trainer.Validation?
        try metrics.forEach(as: Trainer.Validation.self) { validation = $0 }
        let system = record.recipe.values["model"]?["system"]?.string ?? "a model"
        if let description = record.description {
            display.line(
                "\(record.name): \(description.kind.rawValue) \(system), \(description.parameters) parameters, on "
                    + "\(description.sightings) sightings of \(description.identities) identities")
        }
        let done = last.map { $0.step + 1 } ?? 0
        display.line("\(done)\(record.description.map { " of \($0.steps)" } ?? "") steps are done")
        if let validation { display.show(.validated(validation)) }
    }

    /// Shows what is new, and says whether more may come.
    mutating func isGoingOn() throws -> Bool {
        let total = record.description?.steps ?? 0
        var found: [StepRecord] = []
        try steps.forEach(as: StepRecord.self) { found.append($0) }
        for step in found {
            let images = step.images(modalities: record.modalities)
            display.show(.stepped(step, images: images, of: max(total, step.step + 1)))
        }
        last = found.last ?? last
        var validations: [Trainer.Validation] = []
        try metrics.forEach(as: Trainer.Validation.self) { validations.append($0) }
        for validation in validations { display.show(.validated(validation)) }
        silent = found.isEmpty && validations.isEmpty ? silent + 1 : 0
        // Not before a silence, as the lock is taken for asking.
        return silent == 0 || silent % Self.patience != 0 || RunFolderLock.isHeld(folder)
    }

    /// Shows how it ended. A pruning run does not go on.
    func end() {
        let done = last.map { $0.step + 1 } ?? 0
        let further =
            record.description?.kind == .pruning
            ? "" : "; to go on: triptych train --resume \(folder.relativePath)"
        switch try? RunRecord(folder).status {
        case .finished: display.line("finished after \(done) steps: \(folder.relativePath)/model.safetensors")
        case .interrupted: display.line("interrupted after step \(done)\(further)")
        default: display.line("no process trains here; \(done) steps are done\(further)")
        }
    }
}
