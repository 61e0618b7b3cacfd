/// The vectors made from one set of modalities.
struct IndexPart: Sendable {
    /// Names.
    let modalities: Set<String>
    private(set) var chunks: [IndexChunk] = []
    /// Live rows by the part of their sighting's main vector.
    private var mains: [UInt8: Int] = [:]

    init(_ modalities: Set<String>) { self.modalities = modalities }

    /// Rows that a search sees.
    var live: Int { mains.values.reduce(0, +) }

    /// Rows, deleted ones included. O(chunks).
    var occupied: Int { chunks.reduce(0) { $0 + $1.rows.count } }

    /// Whether there are vectors of sightings whose main vector is in that part.
    func hasRows(main: Int) -> Bool { mains[UInt8(main), default: 0] > 0 }

    /// The last row, if it is of this sighting.
    func row(of sighting: Int64) -> IndexRow? {
        guard let row = chunks.last?.rows.last, row.sighting == sighting else { return nil }
        return row
    }

    /// False, and nothing is appended, if the entry's is not a unit vector.
    mutating func append(_ row: IndexRow, _ entry: IndexEntry, dimension: Int) -> Bool {
        if chunks.last?.hasRoom != true { chunks.append(IndexChunk(dimension: dimension)) }
        guard chunks[chunks.count - 1].append(row, entry) else { return false }
        mains[row.main, default: 0] += 1
        return true
    }

    /// Tells the last row, if it is of this sighting, which vectors the sighting has.
    mutating func setSiblings(_ siblings: UInt64, of sighting: Int64) {
        guard row(of: sighting) != nil else { return }
        let last = chunks.count - 1
        chunks[last].setSiblings(siblings, at: chunks[last].rows.count - 1)
    }

    /// A chunk that lost half its rows is rewritten, an empty one dropped.
    mutating func remove(where isGone: (IndexRow) -> Bool) {
        var mains = mains
        let counted = { (row: IndexRow) in
            guard isGone(row) else { return false }
            mains[row.main, default: 0] -= 1
            return true
        }
        defer { self.mains = mains }
        for index in chunks.indices.reversed() where chunks[index].remove(where: counted) {
            if chunks[index].live == 0 {
                chunks.remove(at: index)
            } else if chunks[index].live * 2 <= chunks[index].rows.count {
                chunks[index] = chunks[index].compacted()
            }
        }
    }
}
