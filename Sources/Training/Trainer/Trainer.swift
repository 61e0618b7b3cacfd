import Documents
import Foundation
import Inference
import Randomness
import Tensor

/// Trains a model: a run folder with logs and checkpoints out of a recipe, a data set and a seed.
///
/// The same recipe, data, seed and machine give the same weights.
public struct Trainer: Sendable {
    /// How one validation went.
    public struct Validation: Sendable, Codable, Equatable {
        /// Steps done.
        public var step: Int
        /// Who is ranked: held-out identities. Of fewer than a test has, the figures are higher.
        public var identities: Int
        /// Of these, each ranked among all others.
        public var sightings: Int
        /// How it went.
        public var metrics: RetrievalMetrics
        /// True of a pruning run's control, whose steps are counted anew; nil elsewhere.
        public var control: Bool?
    }

    /// What happens during a run, for whoever shows it.
    public enum Event: Sendable {
        case started(identities: Int, sightings: Int, heldOut: Int, incomplete: Int, parameters: Int, steps: Int)
        /// After so many steps that were taken before.
        case resumed(step: Int)
        case initialized(WeightTransfer)
        /// So many weights were pruned in the checkpoint that the run starts from, and stay zero.
        case held(weights: Int)
        case stepped(StepRecord, images: Int, of: Int)
        case validated(Validation)
        /// A stage has ended after so many steps of the run, as no validation was better than one before.
        case stoppedEarly(stage: String, step: Int, best: Int)
        /// How long the steps had to wait for images, of the time that they and validations took.
        case waited(Duration, of: Duration)
        case finished(digest: String, path: String)
        /// Stopped after so many steps; its state is kept, and the model as it is published.
        case interrupted(step: Int, path: String)
    }

    /// What a run has made.
    public struct Outcome: Sendable {
        /// Whether it came to its end.
        public let isFinished: Bool
        /// The path of the model.
        public let path: String
    }

    private let recipe: Recipe
    private let dataset: TriplesDataset
    private let output: URL
    private let initial: Checkpoint?
    private let transfer: WeightTransfer.Options
    private let saving: SaveInterval
    private let origin: TrainingOrigin
    /// The states to go on from, the newest first; empty for a new run.
    private var states: [TrainingSnapshot.File] = []

    /// - Parameters:
    ///   - recipe: how.
    ///   - dataset: what from.
    ///   - output: a new or empty folder.
    ///   - initial: whose weights to start from; those that were pruned stay zero.
    ///   - seed: of everything random.
    ///   - transfer: how the weights of `initial` are taken over, and how many must be.
    ///   - saving: how often the state is written; what it is, is of no account to the weights.
    public init(
        recipe: Recipe, dataset: TriplesDataset, output: URL, initial: Checkpoint? = nil, seed: UInt64,
        transfer: WeightTransfer.Options = .init(), saving: SaveInterval = .seconds(300)
    ) {
        (self.recipe, self.dataset, self.output, self.initial) = (recipe, dataset, output, initial)
        (self.transfer, self.saving) = (transfer, saving)
        origin = TrainingOrigin(
            dataset, recipe: recipe.yaml, seed: seed, initializedFrom: initial?.digest,
            initialization: initial.flatMap { $0.initialization(of: recipe.model, transfer) })
    }

    /// Goes on with a run that was stopped, killed or cut short by a full disk, as if it never had been.
    ///
    /// Throws `TrainingError` if there is no state in the folder, if it is another's, or if the recipe or the number of compute
    /// threads differs.
    /// - Parameters:
    ///   - output: the run's folder.
    ///   - recipe: nil for the folder's own; another is refused.
    ///   - data: nil for where the run began; elsewhere there must be the same files in the same layout.
    ///   - saving: how often the state is written.
    public init(
        resuming output: URL, recipe: Recipe? = nil, data: URL? = nil,
        saving: SaveInterval = .seconds(300)
    ) throws {
        states = try TrainingSnapshot.files(of: output)
        let origin = states[0].progress.origin
        let kept = try Recipe(path: output.appendingPathComponent("recipe.yaml").path)
        try origin.check(recipe: kept.yaml, named: "recipe.yaml")
        if let recipe { try origin.check(recipe: recipe.yaml, named: "the recipe given") }
        try origin.checkThreads()
        (self.recipe, self.output, self.saving, self.origin) = (kept, output, saving, origin)
        transfer = .init()
        dataset = try origin.dataset(at: data)
        initial = try Checkpoint.load(path: output.appendingPathComponent("checkpoints/initial.safetensors").path)
    }

    /// Runs to the end, or to the end of the step in which `isCancelled` turns true. Blocks: call it on a compute thread.
    ///
    /// Throws `DatasetError`, `TrainingError`, `WeightsError`, `EncoderError` or `CheckpointError`.
    @discardableResult
    public func run(isCancelled: () -> Bool = { false }, report: (Event) -> Void) throws -> Outcome {
        let data = try TrainingData(dataset, recipe, seed: origin.seed)
        let manifest = try DataManifest(dataset, recipe)
        var (run, folder, keeper) =
            try states.isEmpty ? begin(data, manifest, report) : resume(data, manifest)
        report(
            .started(
                identities: data.identities.count, sightings: data.labels.count, heldOut: data.held.sightings.count,
                incomplete: data.incomplete, parameters: run.state.weights.parameterCount, steps: run.totalSteps))
        if !states.isEmpty { report(.resumed(step: run.step)) }
        let start = ContinuousClock.now
        let isFinished = try run.train(into: folder, keeper: &keeper, isCancelled: isCancelled, report: report)
        report(.waited(data.images.waited, of: .now - start))
        if !isFinished {
            // First of all, so that nothing that follows can cost what was learnt.
            try keeper?.keep(run, folder)
            run.settle()
        }
        return try finish(run, folder, isFinished, report)
    }

    private func begin(
        _ data: TrainingData, _ manifest: DataManifest, _ report: (Event) -> Void
    ) throws -> (TrainingRun, RunFolder, SnapshotKeeper?) {
        let run = try TrainingRun(
            recipe, data, seed: origin.seed, initial: initial, transfer: transfer, report: report)
        let folder = try RunFolder(output)
        try folder.write(recipe.yaml, to: "recipe.yaml")
        try folder.write(manifest.text, to: DataManifest.file)
        try RunDescription(run, dataset, manifest, initializedFrom: origin.initializedFrom).write(to: folder)
        try folder.saveInitial(run.configuration, run.state)
        var keeper = SnapshotKeeper(origin, saving)
        try keeper.keep(run, folder)
        return (run, folder, keeper)
    }

    private func resume(
        _ data: TrainingData, _ manifest: DataManifest
    ) throws -> (TrainingRun, RunFolder, SnapshotKeeper?) {
        let file = output.appendingPathComponent(DataManifest.file)
        guard let text = try? String(contentsOf: file, encoding: .utf8), let initial else {
            throw TrainingError.nothingToResume(output.path, "expected \(DataManifest.file), found none")
        }
        try DataManifest(text: text).check(manifest)
        let (snapshot, place) = try newest()
        let run = try TrainingRun(recipe, data, from: snapshot, initial: initial)
        let folder = try RunFolder(resuming: output, snapshot.progress.logs)
        return (run, folder, SnapshotKeeper(origin, saving, place: 1 - place))
    }

    /// The newest state that can be read to its end. Throws what reading the last one throws.
    private func newest() throws -> (TrainingSnapshot, place: Int) {
        for state in states.dropLast() {
            if let snapshot = try? state.read() { return (snapshot, state.place) }
        }
        let last = states[states.count - 1]
        return (try last.read(), last.place)
    }

    private func finish(
        _ run: TrainingRun, _ folder: RunFolder, _ isFinished: Bool, _ report: (Event) -> Void
    ) throws -> Outcome {
        let configuration = try SelfTest.recorded(
            in: run.configuration(provenance: provenance(run, isFinished)), weights: run.best.weights)
        let digest = try folder.save(
            configuration, run.best.weights, packed: run.state.packed, to: "model.safetensors")
        let path = folder.path.appendingPathComponent("model.safetensors").path
        if isFinished { folder.removeSnapshots() }
        report(isFinished ? .finished(digest: digest, path: path) : .interrupted(step: run.step, path: path))
        return Outcome(isFinished: isFinished, path: path)
    }

    /// Where the weights come from: the same for a run that was interrupted on its way, and for one that was not.
    private func provenance(_ run: TrainingRun, _ isFinished: Bool) -> JSONValue {
        var entries: [String: JSONValue] = [
            "seed": .integer(Int(truncatingIfNeeded: origin.seed)), "recipe": .string(recipe.yaml),
            "version": .string(Release.version),
            "data": .string(URL(fileURLWithPath: origin.data).lastPathComponent), "steps": .integer(run.best.step),
            "training_identities": .integer(run.data.identities.count),
            "training_sightings": .integer(run.data.labels.count),
            "held_out_sightings": .integer(run.data.held.sightings.count), "threads": .integer(origin.threads),
        ]
        if let digest = origin.initializedFrom { entries["initialized_from"] = .string(digest) }
        if let initialization = origin.initialization { entries["initialization"] = initialization }
        if let metrics = run.best.metrics {
            entries["validation"] = .object([
                "mAP": .number(metrics.mAP), "rank1": .number(metrics.rank1), "queries": .integer(metrics.queries),
                "identities": .integer(run.data.heldIdentities),
            ])
        }
        if !isFinished { entries["interrupted"] = .bool(true) }
        return .object(entries)
    }
}

/// Why a training run cannot go on.
public enum TrainingError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The run folder holds something already.
    case outputExists(String)
    /// The run folder cannot be written.
    case unwritable(String, String)
    /// A number that training cannot go on from, in a step; and the state before it, if one was written.
    case diverged(step: Int, String, state: String?)
    /// Another process has the run folder.
    case busy(String)
    /// No state to go on from, and why.
    case nothingToResume(String, String)
    /// The run was begun with something else.
    case differs(String, expected: String, found: String)
    /// A checkpoint to start from has too little of the backbone.
    case unrelated(expected: Double, found: Double, missing: String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .outputExists(let path): "expected a new or empty folder for the run, found files in \(path)"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .diverged(let step, let what, let state):
            "step \(step): \(what); try a lower learning rate, or clip_norm"
                + (state.map { ". The last state is \($0)" } ?? "")
        case .busy(let path): "another process is training in \(path)"
        case .nothingToResume(let path, let reason): "the run in \(path) cannot go on: \(reason)"
        case .differs(let what, let expected, let found):
            "\(what): expected \(expected), as the run began, found \(found)"
        case .unrelated(let expected, let found, let missing):
            "the checkpoint to start from: expected at least \(Self.percent(expected)) of the backbone in it, found "
                + "\(Self.percent(found)); missing \(missing)"
        }
    }
    private static func percent(_ share: Double) -> String { "\((share * 1000).rounded(.down) / 10) %" }
}
