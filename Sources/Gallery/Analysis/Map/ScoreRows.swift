import Mapping

/// The scores of some sightings with all that a map shows, a row each; what cannot be compared scores 0, as vectors at right angles
/// do. A roster of these sightings alone is gone through.
struct ScoreRows: ScoreVisitor {
    /// Places in the roster.
    let queries: [Int]
    private let columns: Int
    private var scores: [Float]

    init(_ queries: [Int], columns: Int) {
        (self.queries, self.columns) = (queries, columns)
        scores = [Float](repeating: 0, count: queries.count * columns)
    }

    func admits(_ query: Int, _ other: Int) -> Bool { true }

    mutating func visit(_ query: Int, _ other: Int, score: Float?, set: Int) {
        if let score { scores[query * columns + other] = score }
    }

    func row(_ query: Int) -> ArraySlice<Float> { scores[(query * columns)..<((query + 1) * columns)] }

    /// The sightings nearest to one, nearest first, equally near ones in their order. O(columns), about.
    func nearest(_ count: Int, to query: Int) -> [NeighbourGraph.Neighbour] {
        let (row, own) = (row(query), queries[query])
        let start = row.startIndex
        let precedes = { (a: Int, b: Int) in row[a] != row[b] ? row[a] > row[b] : a < b }
        var (best, floor) = ([Int](), -Float.infinity)
        for other in row.indices where row[other] >= floor && other - start != own {
            best.append(other)
            if best.count < 4 * count { continue }
            best.sort(by: precedes)
            best.removeLast(best.count - count)
            floor = best.last.map { row[$0] } ?? floor
        }
        return best.sorted(by: precedes).prefix(count).map {
            NeighbourGraph.Neighbour(point: Int32($0 - start), squared: max(2 - 2 * Double(row[$0]), 0))
        }
    }
}
