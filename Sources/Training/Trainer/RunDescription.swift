import Documents
import Foundation
import Inference

/// What a run is, for whoever looks at its folder while it goes on or after its end: `run.json`. It is written before the first
/// step, and says nothing that a run which goes on would say otherwise.
public struct RunDescription: Sendable, Codable, Equatable {
    /// The file's name in a run folder.
    public static let file = "run.json"

    /// What is done.
    public enum Kind: String, Sendable, Codable {
        case training, pruning
    }

    /// What is done.
    public var kind: Kind
    /// Of the program.
    public var version = Release.version
    /// Of everything random.
    public var seed: UInt64
    /// The data set's folder or list.
    public var data: String
    /// The data set's layout, by name.
    public var layout: String
    /// Which of RegDB's divisions; nil of other layouts, and of runs of earlier versions.
    public var trial: Int?
    /// Of compute: sums over another number of threads are rounded otherwise. Nil of runs of earlier versions.
    public var threads: Int?
    /// SHA-256 of `data.txt`, which has that of each file of the train split.
    public var dataFingerprint: String
    /// Steps of all stages and rounds.
    public var steps: Int
    /// Numbers that are learnt.
    public var parameters: Int
    /// What is learnt from.
    public var identities: Int, sightings: Int
    /// What validation ranks.
    public var heldOutIdentities: Int, heldOutSightings: Int
    /// The digest of the checkpoint that the run started from.
    public var initializedFrom: String?
    /// What goes, and how the model recovers; nil of training, and of runs of earlier versions.
    public var pruning: PruningPlan?

    private enum CodingKeys: String, CodingKey {
        case kind, version, seed, data, layout, trial, threads, steps, parameters, identities, sightings, pruning
        case dataFingerprint = "data_fingerprint"
        case heldOutIdentities = "held_out_identities"
        case heldOutSightings = "held_out_sightings"
        case initializedFrom = "initialized_from"
    }

    init(
        _ run: TrainingRun, _ dataset: TriplesDataset, _ manifest: DataManifest, initializedFrom: String?,
        pruning: PruningPlan? = nil
    ) {
        let held =
            run.data.held.sightings + (run.data.heldQueries === run.data.held ? [] : run.data.heldQueries.sightings)
        kind = pruning == nil ? .training : .pruning
        (seed, self.initializedFrom, self.pruning) = (run.seed, initializedFrom, pruning)
        (data, layout) = (dataset.root.standardizedFileURL.path, dataset.layout.name)
        trial = dataset.layout is RegDBLayout ? dataset.trial : nil
        threads = TrainingOrigin.threadsHere
        (dataFingerprint, steps) = (manifest.fingerprint, run.totalSteps)
        parameters = run.state.weights.parameterCount
        (identities, sightings) = (run.data.identities.count, run.data.labels.count)
        (heldOutIdentities, heldOutSightings) = (Set(held.map(\.identity)).count, held.count)
    }

    /// Reads a run folder's. Throws `CocoaError` if there is none, `DecodingError` for one of another form.
    public init(run folder: URL) throws {
        let bytes = try Data(contentsOf: folder.appendingPathComponent(Self.file))
        self = try JSONDecoder().decode(Self.self, from: bytes)
    }

    func write(to folder: RunFolder) throws {
        try folder.write(
            try JSONEncoder.prettyText(self), to: Self.file)
    }
}
