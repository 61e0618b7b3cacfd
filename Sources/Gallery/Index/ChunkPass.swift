import Similarity

/// A score that at least `limit` groups reach, from lower bounds. It only rises.
struct Floor {
    private let limit: Int
    private let grouping: Grouping
    private(set) var value = -Float.infinity
    private var best: [(group: Int64, lower: Float)] = []

    init(limit: Int, grouping: Grouping) { (self.limit, self.grouping) = (limit, grouping) }

    mutating func add(_ candidate: IndexSearch.Candidate) {
        guard candidate.lower > value else { return }
        add(candidate.group(grouping), candidate.lower)
    }

    /// Amortised O(log limit).
    mutating func add(_ group: Int64, _ lower: Float) {
        guard lower > value else { return }
        best.append((group, lower))
        if best.count >= 2 * limit + 32 || value == -.infinity && best.count == limit { settle() }
    }

    /// Keeps the best of each of the `limit` best groups.
    mutating func settle() {
        best.sort { $0.lower > $1.lower }
        var seen: Set<Int64> = []
        best = best.filter { seen.count < limit && seen.insert($0.group).inserted }
        if best.count == limit, let last = best.last { value = max(value, last.lower) }
    }
}

/// One chunk's admitted rows and their bounds. Reused from chunk to chunk.
///
/// With unit vectors u of a row's modalities, their lengths l, and L the length of what they make together, the cosine is
/// Σ l·(q·u) / L. Each q·u lies within its block's bounds. What is added covers rounding: of the definitive score's sum and of
/// its unit vectors (see `SimilarityBlock`), and of lengths, each a few parts in 2²⁴ of Σ l / L.
struct ChunkPass {
    private(set) var rows: [Int32] = []
    /// Whether they are the first ones, without a gap.
    private var isWhole = false
    private var bounds = SimilarityBounds()
    private var weights: [Float] = []
    private var sums: [Float] = []
    private var rounding: Float = 0

    /// Admits what may answer of a table's chunk, by its place in that. False if a filter selects nothing of it.
    mutating func admit(_ chunk: VectorChunk, _ place: Int, ofTable table: Int, _ eligibility: Eligibility) -> Bool {
        guard let selection = eligibility.selection else {
            admit(chunk, eligibility, isAll: eligibility.admitsAll(of: chunk))
            return true
        }
        guard let rows = selection.rows[table][place] else { return false }
        admit(rows, of: chunk, eligibility)
        return true
    }

    private mutating func admit(_ chunk: VectorChunk, _ eligibility: Eligibility, isAll: Bool) {
        if isAll && isWhole && rows.count == chunk.rows.count { return }
        rows.removeAll(keepingCapacity: true)
        isWhole = isAll
        if isAll {
            rows.append(contentsOf: 0..<Int32(chunk.live))
        } else {
            for (index, row) in chunk.rows.enumerated() where eligibility.admits(row) { rows.append(Int32(index)) }
        }
    }

    private mutating func admit(_ selected: [Int32], of chunk: VectorChunk, _ eligibility: Eligibility) {
        rows.removeAll(keepingCapacity: true)
        isWhole = false
        for row in selected where eligibility.admits(chunk.rows[Int(row)]) { rows.append(row) }
    }

    mutating func compute(_ comparison: TableComparison, _ chunk: VectorChunk, known: SimilarityBounds?) {
        rounding = Float(comparison.unit.dimension / 16 + 128) * 0x1p-22
        sums.removeAll(keepingCapacity: true)
        if known != nil { return }
        if isWhole, let term = comparison.only {
            bounds.resize(count: rows.count)
            chunk.blocks[term.column].setBounds(term.query, to: &bounds)
            return
        }
        bounds.reset(count: rows.count)
        if let term = comparison.only {
            chunk.blocks[term.column].addBounds(term.query, rows: rows, weights: nil, to: &bounds)
            return
        }
        sums.append(contentsOf: repeatElement(0, count: rows.count))
        for term in comparison.terms {
            weights.removeAll(keepingCapacity: true)
            for row in rows { weights.append(comparison.weight(of: term, chunk, Int(row))) }
            for index in rows.indices { sums[index] += weights[index] }
            chunk.blocks[term.column].addBounds(term.query, rows: rows, weights: weights, to: &bounds)
        }
    }

    /// Rows whose upper bounds are no less than a number, which `body` may raise. The bounds are those known, or else those
    /// computed.
    func forEach(
        known: SimilarityBounds?, atLeast first: Float, _ body: (_ row: Int, _ lower: Float, _ upper: Float) -> Float
    ) {
        let bounds = known ?? bounds
        var least = first
        if sums.isEmpty {
            bounds.forEach(atLeast: least - rounding) { index, lower, upper in
                let (lower, upper) = (lower - rounding, upper + rounding)
                if upper >= least { least = body(Int(rows[index]), lower, upper) }
                return least - rounding
            }
            return
        }
        for (index, row) in rows.enumerated() {
            let slack = rounding * sums[index]
            let upper = bounds.upper[index] + slack
            if upper >= least { least = body(Int(row), bounds.lower[index] - slack, upper) }
        }
    }
}

extension TableComparison {
    /// What a column's cosine counts for in a row.
    fileprivate func weight(of term: Term, _ chunk: VectorChunk, _ row: Int) -> Float {
        guard let length = term.length else { return 1 }
        if let divisor { return chunk.length(length, of: row) / chunk.length(divisor, of: row) }
        let squares = terms.reduce(Float(0)) { sum, term in
            let other = term.length.map { chunk.length($0, of: row) } ?? 1
            return sum + other * other
        }
        return chunk.length(length, of: row) / squares.squareRoot()
    }
}
