import Documents
import Foundation
import Inference

/// The folder of a training run: recipe, logs, checkpoints.
struct RunFolder {
    let path: URL
    private let steps: FileHandle
    private let metrics: FileHandle

    /// Makes the folder. Throws `TrainingError.outputExists` if there is anything in it.
    init(_ path: URL) throws {
        let manager = FileManager.default
        if let contents = try? manager.contentsOfDirectory(atPath: path.path), !contents.isEmpty {
            throw TrainingError.outputExists(path.path)
        }
        do {
            try manager.createDirectory(
                at: path.appendingPathComponent("checkpoints"), withIntermediateDirectories: true)
            steps = try Self.file(path.appendingPathComponent("steps.jsonl"))
            metrics = try Self.file(path.appendingPathComponent("metrics.jsonl"))
        } catch {
            throw TrainingError.unwritable(path.path, error.localizedDescription)
        }
        self.path = path
    }

    private static func file(_ url: URL) throws -> FileHandle {
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    /// Adds a line to `steps.jsonl`.
    func log(_ record: StepRecord) throws { try append(record, to: steps) }

    /// Adds a line to `metrics.jsonl`.
    func log(_ validation: Trainer.Validation) throws { try append(validation, to: metrics) }

    private func append(_ value: some Encodable, to file: FileHandle) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        try file.write(contentsOf: try encoder.encode(value) + Data("\n".utf8))
    }

    /// Writes a file of text, whole or not at all. Throws `TrainingError.unwritable`.
    func write(_ text: String, to name: String) throws(TrainingError) {
        let file = path.appendingPathComponent(name).path
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
        // What led to a checkpoint is as safe as the checkpoint.
        try steps.synchronize()
        try metrics.synchronize()
        return try Checkpoint.save(
            configuration: configuration, weights: weights, packed: packed,
            to: path.appendingPathComponent(name).path)
    }
}
