import Similarity

/// Up to a block's worth of vectors. A value: a snapshot that shares it never sees later appends or deletions, because
/// those change `rows`, which is copied on write, and the block only beyond the rows that the snapshot knows.
struct IndexChunk: Sendable {
    let block: SimilarityBlock
    private(set) var rows: [IndexRow] = []
    private(set) var live = 0

    init(dimension: Int) {
        block = SimilarityBlock(dimension: dimension)
    }

    var hasRoom: Bool { rows.count < SimilarityBlock.capacity }

    /// False, and nothing is appended, if the entry's is not a unit vector.
    mutating func append(_ row: IndexRow, _ entry: IndexEntry) -> Bool {
        guard block.write(entry.vector, at: rows.count) else { return false }
        rows.append(row)
        live += 1
        return true
    }

    mutating func setSiblings(_ siblings: UInt64, at row: Int) {
        rows[row].siblings = siblings
    }

    /// Marks rows as deleted and says whether there were any. O(rows).
    mutating func remove(where isGone: (IndexRow) -> Bool) -> Bool {
        let gone = rows.indices.filter { rows[$0].isLive && isGone(rows[$0]) }
        for index in gone { rows[index].isLive = false }
        live -= gone.count
        return !gone.isEmpty
    }

    /// The live rows alone, in a block of their own.
    func compacted() -> IndexChunk {
        var copy = IndexChunk(dimension: block.dimension)
        for (index, row) in rows.enumerated() where row.isLive {
            copy.block.copy(index, of: block, to: copy.rows.count)
            copy.rows.append(row)
        }
        copy.live = copy.rows.count
        return copy
    }
}
