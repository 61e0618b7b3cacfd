import Similarity

/// One query over a snapshot of an index.
///
/// The first pass bounds every sighting's score from codes. A group is an identity, or a sighting on its own. At least `limit`
/// groups score no less than the limit-th largest of the groups' best lower bounds; a sighting whose upper bound is below
/// that floor cannot be among the answers, whatever its exact score. The others are read from the store and scored in
/// float32.
struct IndexSearch: Sendable {
    typealias Hit = VectorIndex.Hit

    /// A sighting that may answer.
    struct Candidate {
        let sighting: Int64
        let identity: Int32
        let table: Int32
        let lower: Float
        let upper: Float

        func group(_ grouping: Grouping) -> Int64 { grouping == .identity ? Int64(identity) : sighting }
    }

    /// What a slice of the chunks gave.
    struct Part: Sendable {
        var candidates: [Candidate] = []
        var eligible = 0
        var incomparable = 0
    }

    let tables: [(table: VectorTable, comparison: TableComparison?)]
    let eligibility: Eligibility
    let query: VectorIndex.Query

    private var threshold: Float { query.threshold ?? -.infinity }

    /// What one thread does for a query.
    struct Scan {
        var part = Part()
        private var pass = ChunkPass()
        private var floor: Floor
        private let search: IndexSearch
        /// Sightings to leave out.
        private let gone: Set<Int64>

        init(_ search: IndexSearch, without gone: Set<Int64>) {
            (self.search, self.gone) = (search, gone)
            floor = Floor(limit: search.query.limit, grouping: search.query.grouping)
        }

        private var least: Float { max(floor.value, search.threshold) }

        /// Whether a chunk has none but eligible rows.
        func admitsAll(of chunk: VectorChunk) -> Bool {
            search.eligibility.isOpen && chunk.live == chunk.rows.count
        }

        /// Bounds the scores of a table's chunk.
        ///
        /// - Parameters:
        ///   - place: which one of the table's it is.
        ///   - known: the bounds of all rows of the chunk, if they are.
        mutating func visit(_ chunk: VectorChunk, _ place: Int, ofTable table: Int, known: SimilarityBounds? = nil) {
            let isAll = admitsAll(of: chunk)
            if let selection = search.eligibility.selection {
                guard let rows = selection.rows[table][place] else { return }
                pass.admit(rows, of: chunk, search.eligibility)
            } else {
                pass.admit(chunk, search.eligibility, isAll: isAll)
            }
            guard let comparison = search.tables[table].comparison else {
                part.incomparable += pass.rows.count
                return
            }
            part.eligible += pass.rows.count
            if pass.rows.isEmpty { return }
            pass.compute(comparison, chunk, known: isAll ? known : nil)
            pass.forEach(known: isAll ? known : nil, atLeast: least) { row, lower, upper in
                let candidate = Candidate(
                    sighting: chunk.rows[row].sighting, identity: chunk.rows[row].identity, table: Int32(table),
                    lower: lower, upper: upper)
                if gone.isEmpty || !gone.contains(candidate.sighting) {
                    part.candidates.append(candidate)
                    floor.add(candidate)
                }
                return least
            }
        }

        /// What may answer by what this thread has seen.
        mutating func finish() -> Part {
            floor.settle()
            part.candidates.removeAll { $0.upper < floor.value }
            return part
        }
    }

    /// What the search found, or candidates that the store no longer has: in their place others answer, which a scan without
    /// them finds.
    enum Finding: Sendable {
        case outcome(VectorIndex.Outcome)
        case gone(Set<Int64>)
    }

    /// Scores what the bounds of all slices leave.
    func finish(_ parts: [Part], source: some VectorSource) throws -> Finding {
        var floor = Floor(limit: query.limit, grouping: query.grouping)
        for part in parts {
            for candidate in part.candidates { floor.add(candidate) }
        }
        floor.settle()
        let least = max(floor.value, threshold)
        let candidates = parts.flatMap { $0.candidates.filter { $0.upper >= least } }
        let scores = try score(candidates, source)
        if scores.count < candidates.count {
            return .gone(Set(candidates.lazy.map(\.sighting).filter { scores[$0] == nil }))
        }
        let hits = candidates.compactMap { candidate in
            scores[candidate.sighting].map {
                Hit(sighting: candidate.sighting, score: $0, identity: candidate.identity)
            }
        }
        let sorted = hits.filter { $0.score >= threshold }.sorted(by: Hit.precedes)
        return .outcome(
            VectorIndex.Outcome(
                hits: Hit.best(query.limit, of: sorted, query.grouping), rows: parts.reduce(0) { $0 + $1.eligible },
                candidates: candidates.count, incomparable: parts.reduce(0) { $0 + $1.incomparable }))
    }

    /// The definitive scores of those that the store has.
    private func score(_ candidates: [Candidate], _ source: some VectorSource) throws -> [Int64: Float] {
        var scores: [Int64: Float] = [:]
        let batch = 512
        for start in stride(from: 0, to: candidates.count, by: batch) {
            let some = candidates[start..<min(start + batch, candidates.count)]
            let vectors = try source.vectors(of: some.map(\.sighting))
            for candidate in some {
                let (table, comparison) = tables[Int(candidate.table)]
                guard let found = vectors[candidate.sighting], let comparison,
                    let combination = VectorCombination(found, in: table.space), combination.names == table.names,
                    let unit = combination.unit(over: comparison.names)
                else { continue }
                scores[candidate.sighting] = comparison.unit.product(with: unit)
            }
        }
        return scores
    }
}

/// A score that at least `limit` groups reach, from lower bounds. It only rises.
private struct Floor {
    private let limit: Int
    private let grouping: Grouping
    private(set) var value = -Float.infinity
    private var best: [(group: Int64, lower: Float)] = []

    init(limit: Int, grouping: Grouping) { (self.limit, self.grouping) = (limit, grouping) }

    /// Amortised O(log limit).
    mutating func add(_ candidate: IndexSearch.Candidate) {
        guard candidate.lower > value else { return }
        best.append((candidate.group(grouping), candidate.lower))
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
private struct ChunkPass {
    private(set) var rows: [Int32] = []
    /// Whether they are the first ones, without a gap.
    private var isWhole = false
    private var bounds = SimilarityBounds()
    private var weights: [Float] = []
    private var sums: [Float] = []
    private var rounding: Float = 0

    mutating func admit(_ chunk: VectorChunk, _ eligibility: Eligibility, isAll: Bool) {
        if isAll && isWhole && rows.count == chunk.rows.count { return }
        rows.removeAll(keepingCapacity: true)
        isWhole = isAll
        if isAll {
            rows.append(contentsOf: 0..<Int32(chunk.live))
        } else {
            for (index, row) in chunk.rows.enumerated() where eligibility.admits(row) { rows.append(Int32(index)) }
        }
    }

    mutating func admit(_ selected: [Int32], of chunk: VectorChunk, _ eligibility: Eligibility) {
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
