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
        func admitsAll(of chunk: VectorChunk) -> Bool { search.eligibility.admitsAll(of: chunk) }

        /// Bounds the scores of a table's chunk.
        ///
        /// - Parameters:
        ///   - place: which one of the table's it is.
        ///   - known: the bounds of all rows of the chunk, if they are.
        mutating func visit(_ chunk: VectorChunk, _ place: Int, ofTable table: Int, known: SimilarityBounds? = nil) {
            guard pass.admit(chunk, place, ofTable: table, search.eligibility) else { return }
            let isAll = admitsAll(of: chunk)
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
                guard let found = vectors[candidate.sighting], let vectors = combination(found, candidate.table) else {
                    continue
                }
                scores[candidate.sighting] = score(vectors, candidate.table)
            }
        }
        return scores
    }

    /// The vectors of a table's sighting; nil if they are not those any more.
    func combination(_ found: [IndexVector], _ table: Int32) -> VectorCombination? {
        let table = tables[Int(table)].table
        guard let vectors = VectorCombination(found, in: table.space), vectors.names == table.names else { return nil }
        return vectors
    }

    /// The definitive score of a table's sighting; nil if it cannot be compared.
    func score(_ vectors: VectorCombination, _ table: Int32) -> Float? {
        guard let comparison = tables[Int(table)].comparison, let unit = vectors.unit(over: comparison.names) else {
            return nil
        }
        return comparison.unit.product(with: unit)
    }
}
