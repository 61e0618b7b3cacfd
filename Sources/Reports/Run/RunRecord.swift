import Documents
import Foundation
import Inference
import Training

/// What a run folder says of a run.
public struct RunRecord: Sendable {
    /// How far it has come.
    public enum Status: String, Sendable, Encodable {
        case finished, interrupted, running
        /// No process has the folder, and there is no model.
        case stopped
    }

    /// The folder.
    public let folder: URL
    /// What it began with; nil for a run of an earlier version.
    public let description: RunDescription?
    /// The recipe, settings included, and what it says.
    public let recipe: (yaml: String, values: JSONValue)
    /// On the held-out identities, in order.
    public let validations: [Trainer.Validation]
    /// The same of a pruning run's control; empty without one.
    public let control: [Trainer.Validation]
    /// The configuration of the model that was published, if there is one.
    public let model: ModelConfiguration?
    /// How far it has come.
    public let status: Status

    /// Reads a run folder; losses are read by `TrainingCurves`.
    ///
    /// Throws `ReportError.notARun`, `DocumentError`, `DecodingError` or `CheckpointError`.
    public init(_ folder: URL) throws {
        self.folder = folder
        for name in ["recipe.yaml", "steps.jsonl"]
        where !FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path) {
            throw ReportError.notARun(folder.path, missing: name)
        }
        let yaml = try String(contentsOf: folder.appendingPathComponent("recipe.yaml"), encoding: .utf8)
        recipe = (yaml, try YAMLDocument.parse(yaml))
        description = try? RunDescription(run: folder)
        var (validations, log) = ([Trainer.Validation](), LogFollower(folder.appendingPathComponent("metrics.jsonl")))
        try log.forEach(as: Trainer.Validation.self) { validations.append($0) }
        (self.validations, control) = (
            validations.filter { $0.control != true }, validations.filter { $0.control == true }
        )
        let path = folder.appendingPathComponent("model.safetensors").path
        if FileManager.default.fileExists(atPath: path) {
            model = try Checkpoint.configuration(path: path)
        } else {
            model = nil
        }
        status = Self.status(folder, model)
    }

    private static func status(_ folder: URL, _ model: ModelConfiguration?) -> Status {
        if RunFolderLock.isHeld(folder) { return .running }
        guard let model else { return .stopped }
        let isInterrupted = [model.training, model.pruning].contains { $0?["interrupted"]?.bool == true }
        return isInterrupted ? .interrupted : .finished
    }

    /// Where the model comes from, as its file says.
    public var provenance: JSONValue? { model?.pruning ?? model?.training }

    /// The model's digest; nil without one. Reads the whole file. Throws `CheckpointError`.
    public func digest() throws -> String? {
        guard model != nil else { return nil }
        return try SafetensorsReader(path: folder.appendingPathComponent("model.safetensors").path).digest()
    }

    /// The folder's name.
    public var name: String { folder.standardizedFileURL.lastPathComponent }

    /// Of everything random.
    public var seed: UInt64? {
        if let description { return description.seed }
        return provenance?["seed"]?.integer
            .map { UInt64(truncatingIfNeeded: $0) }
    }

    /// How many modalities a whole triple has.
    public var modalities: Int { recipe.values["model"]?["modalities"]?.array?.count ?? 1 }

    /// What is published: the best by mAP, of a pruning run the best after its last target.
    public var best: Trainer.Validation? {
        if description?.kind == .pruning, let published = model?.pruning {
            let (step, mAP) = (published["steps"]?.integer, published["validation"]?["mAP"]?.number)
            return validations.last { $0.step == step && $0.metrics.mAP == mAP }
        }
        // The first of equals, as in training.
        return validations.reduce(nil) { best, next in next.metrics.mAP > best?.metrics.mAP ?? -1 ? next : best }
    }
}

/// Whether a process trains in a folder.
public enum RunFolderLock {
    /// Looks whether the log is locked. For a moment the lock is taken, so ask only now and then.
    public static func isHeld(_ folder: URL) -> Bool {
        let descriptor = open(folder.appendingPathComponent("steps.jsonl").path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}

/// Why there is no report.
public enum ReportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A folder without what every run has.
    case notARun(String, missing: String)
    /// A run without a model.
    case noModel(String)
    /// Nothing that could be ranked.
    case nothingToRank(String, String)
    /// The file cannot be written.
    case unwritable(String, String)

    /// What was expected and what was found.
    public var description: String {
        switch self {
        case .notARun(let path, let missing): "\(path): expected a run folder with \(missing), found none"
        case .noModel(let path): "\(path): expected a run with a model, found no model.safetensors yet"
        case .nothingToRank(let path, let reason): "\(path): \(reason)"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        }
    }
}
