import Inference

/// Every set of modalities as a query against every one in the gallery (`Tests/Reference/comparison.py`; GraFT's Table 6, UniCat's
/// Tables 2 and 3).
public struct ModalityTable: Sendable, Encodable {
    /// One set against another.
    public struct Cell: Sendable, Encodable {
        /// What queries are made from.
        public let query: String
        /// What the gallery is made from.
        public let gallery: String
        /// How it went; nil where nothing can be compared.
        public let result: RetrievalResult?
        /// Why there is no result.
        public let reason: String?
    }

    /// The task's name.
    public let task: String
    /// The queries' sets: a row each.
    public let queries: [String]
    /// The gallery's: a column each.
    public let gallery: [String]
    /// Row by row.
    public let cells: [Cell]

    /// Measures all sets that some sighting of a side has whole; sightings that lack one of them are left out, and counted.
    /// Throws `EvaluationError`.
    ///
    /// - Parameter progress: told how many cells are done, of how many.
    public init(
        _ tasks: EncodedTasks, _ task: RetrievalTask, _ method: RankingMethod = .init(),
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws(EvaluationError) {
        let known = Set(tasks.encoded.modalities)
        let rows = Self.sets(task.queries, known)
        let columns = Self.sets(task.galleries.joined(), known)
        var cells: [Cell] = []
        for row in rows {
            for column in columns {
                let made = try tasks.task(task, row, column, isWhole: true)
                let result = made.isComparable ? made.result(method) : nil
                cells.append(
                    Cell(
                        query: row.label, gallery: column.label, result: result,
                        reason: result == nil ? "no modality in common" : nil))
                progress(cells.count, rows.count * columns.count)
            }
        }
        self.task = task.name
        (queries, gallery, self.cells) = (rows.map(\.label), columns.map(\.label), cells)
    }

    /// Those of the sets of some modalities that a sighting has whole, small ones first.
    private static func sets(
        _ sightings: some Sequence<TriplesDataset.Sighting>, _ known: Set<Modality>
    ) -> [Set<Modality>] {
        let present = Set(sightings.map { known.intersection($0.files.keys) })
        let order = known.sorted()
        let all = (0..<(1 << order.count)).map { bits in order.indices.filter { bits & 1 << $0 != 0 } }
        return all.filter { !$0.isEmpty }
            .sorted { $0.count == $1.count ? $0.lexicographicallyPrecedes($1) : $0.count < $1.count }
            .map { Set($0.map { order[$0] }) }
            .filter { set in present.contains(where: set.isSubset) }
    }
}
