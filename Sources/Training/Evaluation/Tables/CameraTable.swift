/// The queries of each camera against what each camera saw of the gallery.
public struct CameraTable: Sendable, Encodable {
    /// One camera's queries in one camera's gallery.
    public struct Cell: Sendable, Encodable {
        /// The queries' camera.
        public let query: Int
        /// The gallery's.
        public let gallery: Int
        /// The mean over the trials; no query counts where the rules leave nothing to be found.
        public let metrics: RetrievalMetrics
    }

    /// The task's name.
    public let task: String
    /// What was ranked.
    public let modalities: String
    /// The queries' cameras: a row each.
    public let queries: [Int]
    /// The gallery's: a column each.
    public let gallery: [Int]
    /// Row by row.
    public let cells: [Cell]

    init(_ task: EncodedTask, _ trials: [CameraTally]) {
        (self.task, modalities) = (task.name, task.label)
        let rows = Set(trials.flatMap { $0.outcomes.keys.map(\.query) }).sorted()
        let columns = Set(trials.flatMap { $0.outcomes.keys.map(\.gallery) }).sorted()
        (queries, gallery) = (rows, columns)
        cells = rows.flatMap { row in
            columns.map { column in
                let key = CameraTally.Pair(query: row, gallery: column)
                let metrics = trials.compactMap { $0.outcomes[key].map { RetrievalMetrics($0) } }
                return Cell(query: row, gallery: column, metrics: RetrievalMetrics(meanOf: metrics))
            }
        }
    }
}

/// Gathers how queries go within each camera's part of a gallery.
struct CameraTally {
    struct Pair: Hashable {
        let query: Int
        let gallery: Int
    }

    private let queries: [RetrievalMetrics.Item]
    private let gallery: RankedGallery
    private let places: [Int: [Int]]
    /// In the order in which queries come.
    private(set) var outcomes: [Pair: [QueryOutcome?]] = [:]

    init(_ queries: [RetrievalMetrics.Item], _ gallery: RankedGallery) {
        (self.queries, self.gallery) = (queries, gallery)
        places = Dictionary(grouping: gallery.items.indices) { gallery.items[$0].camera }
    }

    mutating func add(_ query: Int, _ distances: [Double]) {
        let item = queries[query]
        for (camera, places) in places {
            outcomes[Pair(query: item.camera, gallery: camera), default: []].append(
                gallery.outcome(of: item, distances, among: places))
        }
    }
}
