import Documents
import Foundation
import Inference
import Tensor

/// All that a run needs to go on as if it had never stopped: weights and what the optimiser has gathered as tensors, the rest
/// as JSON in the file's metadata. Random numbers need no state: what is drawn depends on the seed, the stage and the step.
struct TrainingSnapshot {
    /// Where the run is.
    struct Progress: Codable, Equatable {
        /// Of this form.
        var format = Progress.current
        static let current = 3
        /// What it was started with.
        var origin: TrainingOrigin
        /// Steps done.
        var step: Int
        /// Stages done, through all rounds.
        var stage: Int
        /// Steps done in the stage.
        var index: Int
        /// Where the sampler is.
        var batches: BatchMaker.Position
        /// Validations of the stage since one was the best.
        var stale: Int
        /// How the best weights did, and when.
        var best: Trainer.Validation?
        /// Steps that the optimiser has taken with each weight.
        var optimizerSteps: [String: Int]
        /// Bytes of `steps.jsonl` and of `metrics.jsonl`.
        var logs: RunFolder.Lengths
    }

    /// What every format has.
    private struct Format: Decodable {
        let format: Int
    }

    private static let key = "triptych_run"
    /// States take turns, so that an older one is there whatever happens to the newest.
    static let names = ["checkpoints/state-0.safetensors", "checkpoints/state-1.safetensors"]

    let progress: Progress
    /// `weights.…`, `best.…`, `average.…`, `optimizer.NAME.…` and `centers`.
    let tensors: Weights

    init(_ progress: Progress, tensors: Weights) { (self.progress, self.tensors) = (progress, tensors) }

    /// Writes it, whole or not at all. Throws `CheckpointError`.
    func write(to path: URL) throws {
        let text = String(decoding: try JSONEncoder.canonical.encode(progress), as: UTF8.self)
        try SafetensorsWriter.write(tensors.tensors, metadata: [Self.key: text], to: path.path)
    }

    /// A state on the disk, of which only the beginning has been read.
    struct File {
        let progress: Progress
        /// Its place among the files.
        let place: Int
        fileprivate let path: String

        /// Throws `CheckpointError` or `TrainingError.nothingToResume`.
        fileprivate init(path: String, place: Int) throws {
            guard let text = try SafetensorsReader(path: path).header.metadata[TrainingSnapshot.key] else {
                throw TrainingError.nothingToResume(path, "expected the metadata \(TrainingSnapshot.key)")
            }
            let format = try JSONDecoder().decode(Format.self, from: Data(text.utf8)).format
            guard format == Progress.current else {
                throw TrainingError.nothingToResume(path, "expected format \(Progress.current), found \(format)")
            }
            progress = try JSONDecoder().decode(Progress.self, from: Data(text.utf8))
            (self.path, self.place) = (path, place)
        }

        /// The whole of it. Throws `CheckpointError`.
        func read() throws -> TrainingSnapshot {
            TrainingSnapshot(progress, tensors: Weights(try SafetensorsReader(path: path).tensors().tensors))
        }
    }

    /// The states of a run, the newest first, without those that cannot be read. Throws `TrainingError.nothingToResume` if
    /// there is none.
    static func files(of run: URL) throws -> [File] {
        let isFinished = FileManager.default.fileExists(atPath: run.appendingPathComponent("model.safetensors").path)
        var reason = isFinished ? "the run is finished" : "expected a state in checkpoints, found none"
        var found: [File] = []
        for (place, name) in names.enumerated() {
            let path = run.appendingPathComponent(name).path
            guard FileManager.default.fileExists(atPath: path) else { continue }
            do {
                found.append(try File(path: path, place: place))
            } catch {
                reason = "\(error)"
            }
        }
        guard !found.isEmpty else { throw TrainingError.nothingToResume(run.path, reason) }
        return found.sorted { $0.progress.step > $1.progress.step }
    }
}

/// How often a run writes its state.
public enum SaveInterval: Sendable, Equatable {
    case steps(Int)
    case seconds(Double)
}

/// Writes the state of a run from time to time.
struct SnapshotKeeper {
    let origin: TrainingOrigin
    let interval: SaveInterval
    /// Which of the files is written next.
    var place = 0
    /// The state that was written last, in words.
    private(set) var newest: String?
    private var last = ContinuousClock.now

    init(_ origin: TrainingOrigin, _ interval: SaveInterval, place: Int = 0) {
        (self.origin, self.interval, self.place) = (origin, interval, place)
    }

    /// Whether it is time.
    func isDue(step: Int) -> Bool {
        switch interval {
        case .steps(let count): step % count == 0
        case .seconds(let seconds): last.duration(to: .now) >= .seconds(seconds)
        }
    }

    /// Writes the state in place of the older one. Throws `TrainingError.unwritable`.
    mutating func keep(_ run: TrainingRun, _ folder: RunFolder) throws {
        let path = folder.path.appendingPathComponent(TrainingSnapshot.names[place])
        do {
            try run.snapshot(origin, try folder.synchronized()).write(to: path)
        } catch {
            throw TrainingError.unwritable(path.path, "\(error)")
        }
        newest = "\(path.path), after \(run.step) steps"
        place = 1 - place
        last = .now
    }
}
