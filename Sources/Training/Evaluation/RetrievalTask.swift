import Inference
import Randomness

/// One thing that a benchmark measures: queries against a gallery, or against a gallery a trial.
public struct RetrievalTask: Sendable {
    /// As results are headed.
    public let name: String
    /// What is searched with.
    public let queries: [TriplesDataset.Sighting]
    /// What is ranked, in each trial.
    public let galleries: [[TriplesDataset.Sighting]]
    /// What is not ranked for a query.
    public let rule: RetrievalProtocol
    /// Whether the CMC is over identities, each at its best item.
    public let isDeduplicated: Bool

    /// A task as given.
    public init(
        name: String, queries: [TriplesDataset.Sighting], galleries: [[TriplesDataset.Sighting]],
        rule: RetrievalProtocol, isDeduplicated: Bool = false
    ) {
        self.name = name
        self.queries = queries
        self.galleries = galleries
        self.rule = rule
        self.isDeduplicated = isDeduplicated
    }

    /// Whether queries and gallery have no modality in common.
    public var isCrossModal: Bool {
        let modalities = { (sightings: [TriplesDataset.Sighting]) in Set(sightings.flatMap(\.files.keys)) }
        return modalities(queries).isDisjoint(with: Set(galleries.flatMap { modalities($0) }))
    }

    /// Galleries of some images of each identity and camera. Each trial draws as Python's `random` seeded with the trial's
    /// number from 0 does, identities in order and cameras within them, as Ye et al.'s code for SYSU-MM01 and what follows it.
    static func drawn(
        from sightings: [TriplesDataset.Sighting], shots: Int, trials: Int
    ) -> [[TriplesDataset.Sighting]] {
        let groups = Dictionary(grouping: sightings) { "\($0.identity) \($0.camera)" }.values
            .sorted { ($0[0].identity, $0[0].camera) < ($1[0].identity, $1[0].camera) }
        return (0..<trials).map { trial in
            var generator = MersenneTwister(seed: UInt32(trial))
            return groups.flatMap { generator.sample($0, shots) }
        }
    }

    /// Images of each modality as queries, against a gallery of all of them: a mixed gallery, where the benchmark's own has one
    /// modality and the queries the other (MixER, table B.1).
    ///
    /// - Parameters:
    ///   - sides: the images of each modality, with its name.
    ///   - shots: how many of each identity, camera and modality are drawn, in ten trials; nil for all of them.
    static func mixed(_ sides: [(name: String, images: [TriplesDataset.Sighting])], shots: Int? = nil)
        -> [RetrievalTask]
    {
        let parts = sides.map { side in shots.map { drawn(from: side.images, shots: $0, trials: 10) } ?? [side.images] }
        let galleries = parts[0].indices.map { trial in parts.flatMap { $0[trial] } }
        let all = sides.map(\.name).joined(separator: " and ")
        return sides.map { side in
            RetrievalTask(
                name: "\(side.name) to \(all)" + (shots.map { ", \($0) shot" } ?? ""), queries: side.images,
                galleries: galleries, rule: .mix)
        }
    }
}

extension RetrievalTask {
    /// Metrics of one trial.
    func metrics(
        _ orders: some Sequence<[Int]>, _ gallery: [TriplesDataset.Sighting]
    ) -> RetrievalMetrics {
        DatasetEvaluation.metrics(
            orders, queries: queries, gallery: gallery, protocol: rule, isDeduplicated: isDeduplicated)
    }
}

/// All that some tasks look at, each sighting once, so that it is decoded and encoded once.
public struct TaskImages: Sendable {
    /// What is measured.
    public let tasks: [RetrievalTask]
    /// Every sighting.
    public let images: SightingImages
    private let rows: [TriplesDataset.Sighting: Int]

    /// The images of tasks, for a model.
    public init(_ tasks: [RetrievalTask], _ preprocessing: Preprocessing, modalities: [Modality]) {
        self.tasks = tasks
        var rows: [TriplesDataset.Sighting: Int] = [:]
        var sightings: [TriplesDataset.Sighting] = []
        for sighting in tasks.flatMap({ [$0.queries] + $0.galleries }).joined() where rows[sighting] == nil {
            rows[sighting] = sightings.count
            sightings.append(sighting)
        }
        self.rows = rows
        images = SightingImages(sightings, preprocessing, modalities: modalities)
    }

    /// Where some of the sightings are among all.
    func indices(of sightings: [TriplesDataset.Sighting]) -> [Int] { sightings.compactMap { rows[$0] } }
}
