import Similarity

/// What the index knows of a sighting besides its vectors: enough to filter without SQL.
struct IndexRow: Sendable {
    /// Row number of the sighting; grows with enrolment.
    let sighting: Int64
    /// Ordinal of the identity in this index.
    var identity: Int32
    /// Ordinal of the camera in this index, −1 if unknown.
    var camera: Int32
    /// Milliseconds since 1970; nil if unknown.
    var capturedAt: Int64?
    /// False once deleted; the row's place is reclaimed by compaction.
    var isLive = true
}

/// The codes of up to a block's worth of sightings that have the same modalities. A value: a snapshot that shares it never
/// sees later appends or deletions, because those change `rows`, which is copied on write, and the blocks only beyond the rows
/// that the snapshot knows.
struct VectorChunk: Sendable {
    /// One a column of the table.
    let blocks: [SimilarityBlock]
    private(set) var rows: [IndexRow] = []
    /// Lengths, `stride` a row, as the table orders them.
    private(set) var lengths: [Float] = []
    private(set) var live = 0
    private let stride: Int

    init(columns: [Int], lengths stride: Int) {
        blocks = columns.map { SimilarityBlock(dimension: $0) }
        self.stride = stride
    }

    var hasRoom: Bool { rows.count < SimilarityBlock.capacity }

    /// Adds a sighting by a unit vector a column.
    mutating func append(_ row: IndexRow, _ vectors: [[Float]], lengths: [Float]) {
        for (block, vector) in zip(blocks, vectors) { block.write(vector, at: rows.count) }
        rows.append(row)
        self.lengths += lengths
        live += 1
    }

    func length(_ index: Int, of row: Int) -> Float { lengths[row * stride + index] }

    /// Changes what is known of a sighting.
    mutating func update(_ row: Int, _ change: (inout IndexRow) -> Void) { change(&rows[row]) }

    /// Marks a row as deleted.
    mutating func remove(_ row: Int) {
        rows[row].isLive = false
        live -= 1
    }

    /// The live rows alone, in blocks of their own.
    func compacted() -> VectorChunk {
        var copy = VectorChunk(columns: blocks.map(\.dimension), lengths: stride)
        for (index, row) in rows.enumerated() where row.isLive {
            for (from, to) in zip(blocks, copy.blocks) { to.copy(index, of: from, to: copy.rows.count) }
            copy.rows.append(row)
            copy.lengths += lengths[(index * stride)..<((index + 1) * stride)]
        }
        copy.live = copy.rows.count
        return copy
    }
}
