import Documents
import Foundation
import Inference
import Training

/// Trains a recipe with many settings, one trial after the other, and shows which went best. What was done is not done again: a
/// sweep that was stopped goes on within the trial in which it was.
public struct Sweep: Sendable {
    /// What happens, for whoever shows it.
    public enum Event: Sendable {
        /// The trial's place, of so many.
        case began(SweepSpecification.Trial, Int, of: Int)
        case training(Trainer.Event)
        case failed(SweepSpecification.Trial, String)
    }

    /// How one trial went.
    public struct Result: Sendable, Encodable {
        /// How far it is.
        public enum Status: String, Sendable, Encodable {
            case waiting, begun, finished, failed
        }

        /// Its folder's name.
        public let name: String
        /// Changes to the recipe.
        public let settings: [String]
        /// Of everything random.
        public let seed: UInt64
        /// How far it is.
        public let status: Status
        /// Why it failed.
        public let reason: String?
    }

    /// How often a trial's state is written, in seconds.
    private static let saving = SaveInterval.seconds(60)
    /// The files' names in the sweep's folder.
    public static let page = "sweep.html", data = "sweep.json"

    private let folder: SweepFolder
    private let recipe: Recipe
    private let specification: SweepSpecification
    private let dataset: TriplesDataset

    /// A new sweep. Throws `DocumentError` or `TrainingError.outputExists`.
    ///
    /// - Parameters:
    ///   - recipe: what is varied.
    ///   - specification: YAML, see `SweepSpecification`.
    ///   - dataset: what from.
    ///   - output: a new or empty folder.
    public init(
        recipe: Recipe, specification: String, dataset: TriplesDataset, output: URL
    ) throws {
        (self.recipe, self.dataset) = (recipe, dataset)
        self.specification = try SweepSpecification(yaml: specification)
        // Before anything is written: a data set that cannot be read is no trial's failure.
        _ = try dataset.sightings(.train)
        folder = try SweepFolder(
            output,
            .init(
                recipe: recipe.yaml, specification: specification, data: dataset.root.standardizedFileURL.path,
                layout: dataset.layout.name, trial: dataset.trial))
    }

    /// Goes on with a sweep. Throws `ReportError.notARun` for a folder that is none's, `DatasetError` if its data are not there
    /// any more.
    ///
    /// - Parameters:
    ///   - output: its folder.
    ///   - dataset: nil for where the sweep began.
    public init(resuming output: URL, dataset: TriplesDataset? = nil) throws {
        folder = try SweepFolder(opening: output)
        let origin = folder.origin
        recipe = try Recipe(yaml: origin.recipe, path: "the sweep's recipe")
        specification = try SweepSpecification(yaml: origin.specification)
        self.dataset =
            try dataset
            ?? TriplesDataset(
                root: URL(fileURLWithPath: origin.data), layout: origin.layout, trial: origin.trial)
        _ = try self.dataset.sightings(.train)
    }

    /// The folder.
    public var path: URL { folder.path }

    /// Trains what is not trained yet, unless cancelled; after each trial `sweep.json` and `sweep.html` say how it stands. Blocks:
    /// call it on a compute thread.
    ///
    /// A recipe that is refused, a loss that is no number or a batch that cannot be drawn is a failed trial; a disk that is full
    /// ends the sweep. Throws `TrainingError`, `CheckpointError` or `ReportError`.
    /// - Parameter retrying: whether failed trials are tried again.
    /// - Returns: whether it came to the end.
    public func run(
        retrying: Bool = false, isCancelled: () -> Bool = { false }, report: (Event) -> Void
    ) throws -> Bool {
        for (index, trial) in specification.trials.enumerated() {
            if retrying, folder.failure(of: trial) != nil { try folder.clear(trial) }
            guard result(trial).status != .finished, result(trial).status != .failed else { continue }
            if isCancelled() { return false }
            report(.began(trial, index + 1, of: specification.trials.count))
            let isWhole = try train(trial, isCancelled, report)
            try write()
            if !isWhole { return false }
        }
        try write()
        return true
    }

    private func train(
        _ trial: SweepSpecification.Trial, _ isCancelled: () -> Bool, _ report: (Event) -> Void
    ) throws -> Bool {
        do {
            return try trainer(trial).run(isCancelled: isCancelled) { report(.training($0)) }.isFinished
        } catch {
            guard Self.isTrials(error) else { throw error }
            try folder.fail(trial, "\(error)")
            report(.failed(trial, "\(error)"))
            return true
        }
    }

    private func trainer(_ trial: SweepSpecification.Trial) throws -> Trainer {
        let output = folder.run(trial)
        if FileManager.default.fileExists(atPath: output.path) {
            do {
                return try Trainer(resuming: output, data: dataset.root, saving: Self.saving)
            } catch TrainingError.nothingToResume {
                // Killed before its first step.
                try folder.clear(trial)
            }
        }
        return Trainer(
            recipe: try Recipe(yaml: recipe.yaml, path: trial.name, settings: trial.settings), dataset: dataset,
            output: output, seed: trial.seed, saving: Self.saving)
    }

    /// Whether an error is of one trial's settings, and no other's.
    private static func isTrials(_ error: any Error) -> Bool {
        switch error {
        case TrainingError.diverged, DatasetError.tooFew, is RecipeError, is DocumentError, is WeightsError,
            is EncoderError:
            true
        default: false
        }
    }

    private func result(_ trial: SweepSpecification.Trial) -> Result {
        let failure = folder.failure(of: trial)
        let run = folder.run(trial)
        let exists = FileManager.default.fileExists(atPath: run.appendingPathComponent("recipe.yaml").path)
        let isFinished = exists && (try? RunRecord(run))?.status == .finished
        return Result(
            name: trial.name, settings: trial.settings, seed: trial.seed,
            status: failure != nil ? .failed : isFinished ? .finished : exists ? .begun : .waiting, reason: failure)
    }

    private struct Document: Encodable {
        let trials: [Result]
        let comparison: RunComparison
    }

    /// How all trials stand.
    public var results: [Result] { specification.trials.map(result) }

    /// What has been measured so far, the best first.
    public func comparison() throws -> (runs: [RunRecord], comparison: RunComparison) {
        let runs = try specification.trials.filter { result($0).status == .finished }.map {
            try RunRecord(folder.run($0))
        }
        return (runs, RunComparison(runs, bestFirst: true))
    }

    /// Writes how it stands: JSON and a page.
    private func write() throws {
        let (runs, comparison) = try comparison()
        let document = Document(trials: results, comparison: comparison)
        try RunReport.write(JSONEncoder.prettyText(document), to: folder.path.appendingPathComponent(Self.data))
        guard !runs.isEmpty else { return }
        try RunComparisonTable(comparison).write(
            runs, title: "Sweep \(folder.path.standardizedFileURL.lastPathComponent)",
            failed: document.trials.compactMap { trial in
                trial.reason.map { ("\(trial.name): \(trial.settings.joined(separator: " "))", $0) }
            },
            to: folder.path.appendingPathComponent(Self.page))
    }
}
