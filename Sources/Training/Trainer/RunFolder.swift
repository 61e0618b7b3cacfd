import Documents
import Foundation
import Inference

/// The folder of a training run: recipe, logs, checkpoints. One process at a time has it.
package struct RunFolder {
    /// How long the logs are, in bytes.
    struct Lengths: Codable, Equatable {
        var steps: UInt64
        var metrics: UInt64
    }

    let path: URL
    private let steps: FileHandle
    private let metrics: FileHandle

    /// Makes the folder. Throws `TrainingError.outputExists` if there is anything in it.
    init(_ path: URL) throws {
        try Self.make(path)
        do {
            try FileManager.default.createDirectory(
                at: path.appendingPathComponent("checkpoints"), withIntermediateDirectories: true)
            for log in ["steps.jsonl", "metrics.jsonl"] { try Data().write(to: path.appendingPathComponent(log)) }
        } catch {
            throw TrainingError.unwritable(path.path, error.localizedDescription)
        }
        try self.init(opening: path, Lengths(steps: 0, metrics: 0))
    }

    /// Makes a folder. Throws `TrainingError.outputExists` if there is anything in it, or `.unwritable`.
    package static func make(_ path: URL) throws {
        let manager = FileManager.default
        if let contents = try? manager.contentsOfDirectory(atPath: path.path), !contents.isEmpty {
            throw TrainingError.outputExists(path.path)
        }
        do {
            try manager.createDirectory(at: path, withIntermediateDirectories: true)
        } catch {
            throw TrainingError.unwritable(path.path, error.localizedDescription)
        }
    }

    /// Opens the folder of a run that stopped: its logs are cut back to what they were when its state was written, and what
    /// was being written is removed. Throws `TrainingError`.
    init(resuming path: URL, _ lengths: Lengths) throws {
        try self.init(opening: path, lengths)
        let checkpoints = path.appendingPathComponent("checkpoints").path
        for folder in [path.path, checkpoints] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            where name.hasPrefix(".") && name.hasSuffix(".tmp") {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
            }
        }
    }

    private init(opening path: URL, _ lengths: Lengths) throws {
        self.path = path
        steps = try Self.log(path.appendingPathComponent("steps.jsonl"))
        // Held until this process ends, however it does.
        guard flock(steps.fileDescriptor, LOCK_EX | LOCK_NB) == 0 else { throw TrainingError.busy(path.path) }
        metrics = try Self.log(path.appendingPathComponent("metrics.jsonl"))
        try Self.cut(steps, to: lengths.steps, "\(path.path)/steps.jsonl")
        try Self.cut(metrics, to: lengths.metrics, "\(path.path)/metrics.jsonl")
    }

    private static func log(_ url: URL) throws -> FileHandle {
        do {
            return try FileHandle(forUpdating: url)
        } catch {
            throw TrainingError.unwritable(url.path, error.localizedDescription)
        }
    }

    private static func cut(_ log: FileHandle, to length: UInt64, _ path: String) throws {
        let found = try log.seekToEnd()
        guard found >= length else {
            throw TrainingError.differs(path, expected: "at least \(length) bytes", found: "\(found)")
        }
        try log.truncate(atOffset: length)
    }

    /// Adds a line to `steps.jsonl`.
    func log(_ record: StepRecord) throws { try append(record, to: steps, "steps.jsonl") }

    /// Adds a line to `metrics.jsonl`.
    func log(_ validation: Trainer.Validation) throws { try append(validation, to: metrics, "metrics.jsonl") }

    private func append(_ value: some Encodable, to file: FileHandle, _ name: String) throws {
        let line = try JSONEncoder.canonical.encode(value) + Data("\n".utf8)
        do {
            try file.write(contentsOf: line)
        } catch {
            throw TrainingError.unwritable(path.appendingPathComponent(name).path, error.localizedDescription)
        }
    }

    /// Flushes the logs to the disk, and says how long they are: what led to a checkpoint is as safe as the checkpoint.
    @discardableResult
    func synchronized() throws -> Lengths {
        try steps.synchronize()
        try metrics.synchronize()
        return Lengths(steps: try steps.offset(), metrics: try metrics.offset())
    }

    /// Writes a file of text, whole or not at all. Throws `TrainingError.unwritable`.
    func write(_ text: String, to name: String) throws(TrainingError) {
        try Self.write(text, to: path.appendingPathComponent(name).path)
    }

    /// The same, of any folder.
    static func write(_ text: String, to file: String) throws(TrainingError) {
        do {
            try DurableFile.write(text.utf8, to: file)
        } catch {
            throw .unwritable(file, error.description)
        }
    }

    /// Writes what the model starts from, GraFT's learned centers included: a replay needs both.
    func saveInitial(_ configuration: ModelConfiguration, _ state: TrainingState) throws {
        try save(configuration, state.weights, packed: state.packed, to: "checkpoints/initial.safetensors")
        guard let centers = state.centers else { return }
        try SafetensorsWriter.write(
            [TrainingState.centersPath: centers], metadata: [:],
            to: path.appendingPathComponent("checkpoints/centers.safetensors").path)
    }

    /// Writes a checkpoint, whole or not at all, and returns its digest.
    @discardableResult
    func save(
        _ configuration: ModelConfiguration, _ weights: Weights, packed: Set<String> = [], to name: String
    ) throws -> String {
        try synchronized()
        return try Checkpoint.save(
            configuration: configuration, weights: weights, packed: packed,
            to: path.appendingPathComponent(name).path)
    }

    /// Removes the states: a finished run has no use for them.
    func removeSnapshots() {
        for file in TrainingSnapshot.names {
            try? FileManager.default.removeItem(at: path.appendingPathComponent(file))
        }
    }
}
