import Similarity

/// One query by several exemplars, or by several sightings of each identity, over a snapshot of an index.
///
/// A sighting's score is the best or the mean of those with the exemplars, an identity's the best or a mean of its sightings'. All of
/// these rise with each score that they are made of, so what bounds make is a bound: of each sighting first, of each identity
/// then. At least `limit` groups score no less than the limit-th largest of their lower bounds; a group whose upper bound is
/// below that is no answer, and of the others only those sightings are read from the store that their scores may come from.
struct CompoundSearch: Sendable {
    /// A sighting that may answer, or count for its identity.
    struct Candidate: Sendable {
        let sighting: Int64
        let identity: Int32
        let camera: Int32
        let table: Int32
        let lower: Float
        let upper: Float
    }

    /// What a slice of the chunks gave.
    struct Part: Sendable {
        var candidates: [Candidate] = []
        var eligible = 0
        var incomparable = 0
    }

    /// One an exemplar.
    fileprivate let searches: [IndexSearch]
    /// By table.
    fileprivate let quartets: [[IndexScan.Quartet]]

    fileprivate var query: VectorIndex.Query { searches[0].query }
    private var threshold: Float { query.threshold ?? -.infinity }

    /// - Parameter searches: of one snapshot and one query, one an exemplar.
    init(_ searches: [IndexSearch]) {
        self.searches = searches
        quartets = searches[0].tables.indices.map { IndexScan.quartets(of: searches, $0) }
    }

    /// Scans every `count`-th chunk.
    func run(_ slice: Int, of count: Int, without gone: Set<Int64>) -> Part {
        var scan = Scan(search: self, gone: gone)
        var number = 0
        for (index, table) in searches[0].tables.map(\.table).enumerated() {
            for (place, chunk) in table.chunks.enumerated() {
                defer { number += 1 }
                if number % count == slice { scan.visit(chunk, place, ofTable: index) }
            }
        }
        return scan.part
    }

    /// Scores what the bounds of all slices leave.
    func finish(_ parts: [Part], source: some VectorSource) throws -> IndexSearch.Finding {
        let groups = contenders(CandidateGroups(parts.map(\.candidates), query.grouping))
        let candidates = groups.flatMap { $0 }
        let scores = try score(candidates, source)
        if scores.count < candidates.count {
            return .gone(Set(candidates.lazy.map(\.sighting).filter { scores[$0] == nil }))
        }
        var tally = GroupScore(query.score)
        let hits = groups.compactMap { members -> VectorIndex.Hit? in
            let (score, counted) = tally.combined(members) { scores[$0.sighting] ?? 0 }
            let best = members.map {
                VectorIndex.Hit(sighting: $0.sighting, score: scores[$0.sighting] ?? 0, identity: $0.identity)
            }.min(by: VectorIndex.Hit.precedes)
            return best.map {
                VectorIndex.Hit(
                    sighting: $0.sighting, score: score, identity: $0.identity,
                    counted: query.score == .best ? nil : counted)
            }
        }
        let sorted = hits.filter { $0.score >= threshold }.sorted(by: VectorIndex.Hit.precedes)
        return .outcome(
            VectorIndex.Outcome(
                hits: Array(sorted.prefix(query.limit)), rows: parts.reduce(0) { $0 + $1.eligible },
                candidates: candidates.count, incomparable: parts.reduce(0) { $0 + $1.incomparable }))
    }

    /// The groups that may be among the answers, each with those sightings that its score may come from.
    private func contenders(_ groups: CandidateGroups) -> [[Candidate]] {
        var floor = Floor(limit: query.limit, grouping: query.grouping)
        var tally = GroupScore(query.score)
        var kept: [(members: ArraySlice<Candidate>, upper: Float)] = []
        groups.forEach { members in
            let least = max(floor.value, threshold)
            // A mean is no more than the largest.
            guard let first = members.first, members.contains(where: { $0.upper >= least }) else { return }
            let upper = tally.combined(members, \.upper).score
            if upper < least { return }
            floor.add(
                query.grouping == .identity ? Int64(first.identity) : first.sighting,
                tally.combined(members, \.lower).score)
            kept.append((members, upper))
        }
        floor.settle()
        let least = max(floor.value, threshold)
        return kept.filter { $0.upper >= least }.map { tally.decisive($0.members) }
    }

    /// The definitive scores of those that the store has.
    private func score(_ candidates: [Candidate], _ source: some VectorSource) throws -> [Int64: Float] {
        var scores: [Int64: Float] = [:]
        let batch = 512
        for start in stride(from: 0, to: candidates.count, by: batch) {
            let some = candidates[start..<min(start + batch, candidates.count)]
            let found = try source.vectors(of: some.map(\.sighting))
            for candidate in some {
                guard let found = found[candidate.sighting],
                    let vectors = searches[0].combination(found, candidate.table)
                else { continue }
                let each = searches.compactMap { $0.score(vectors, candidate.table) }
                if !each.isEmpty { scores[candidate.sighting] = query.combination.combined(each) }
            }
        }
        return scores
    }
}

extension CompoundSearch {
    /// What one thread does.
    fileprivate struct Scan {
        let search: CompoundSearch
        /// Sightings to leave out.
        let gone: Set<Int64>
        private(set) var part = Part()
        private var pass = ChunkPass()
        private var combined: CombinedBounds
        private var known = [SimilarityBounds](repeating: SimilarityBounds(), count: SimilarityQuartet.size)
        private var floor: Floor

        init(search: CompoundSearch, gone: Set<Int64>) {
            (self.search, self.gone) = (search, gone)
            combined = CombinedBounds(search.query.combination)
            floor = Floor(limit: search.query.limit, grouping: search.query.grouping)
        }

        /// Bounds the scores of a table's chunk, which has the place among the table's.
        mutating func visit(_ chunk: VectorChunk, _ place: Int, ofTable table: Int) {
            let eligibility = search.searches[0].eligibility
            guard pass.admit(chunk, place, ofTable: table, eligibility) else { return }
            guard search.searches.contains(where: { $0.tables[table].comparison != nil }) else {
                part.incomparable += pass.rows.count
                return
            }
            part.eligible += pass.rows.count
            if pass.rows.isEmpty { return }
            combine(chunk, table, isAll: eligibility.admitsAll(of: chunk))
            for (index, row) in pass.rows.enumerated() { keep(chunk.rows[Int(row)], combined[index], table) }
        }

        /// Of a score that several sightings make, none can be left out before all are known.
        private mutating func keep(_ row: IndexRow, _ bounds: (lower: Float, upper: Float), _ table: Int) {
            let isBest = search.query.score == .best
            if isBest && bounds.upper < max(floor.value, search.threshold) { return }
            if !gone.isEmpty && gone.contains(row.sighting) { return }
            part.candidates.append(
                Candidate(
                    sighting: row.sighting, identity: row.identity, camera: row.camera, table: Int32(table),
                    lower: bounds.lower, upper: bounds.upper))
            if isBest {
                floor.add(search.query.grouping == .identity ? Int64(row.identity) : row.sighting, bounds.lower)
            }
        }

        /// Bounds the score with each exemplar, four at a time where the codes of whole chunks are read.
        private mutating func combine(_ chunk: VectorChunk, _ table: Int, isAll: Bool) {
            combined.begin(count: pass.rows.count)
            let quartets = isAll ? search.quartets[table] : []
            for quartet in quartets {
                chunk.blocks[quartet.column].setBounds(quartet.codes, count: chunk.rows.count, to: &known)
                for (place, exemplar) in quartet.members.enumerated() {
                    add(exemplar, chunk, table, known: known[place])
                }
            }
            let together = Set(quartets.flatMap(\.members))
            for exemplar in search.searches.indices where !together.contains(exemplar) {
                add(exemplar, chunk, table, known: nil)
            }
        }

        private mutating func add(_ exemplar: Int, _ chunk: VectorChunk, _ table: Int, known: SimilarityBounds?) {
            guard let comparison = search.searches[exemplar].tables[table].comparison else { return }
            pass.compute(comparison, chunk, known: known)
            combined.add(pass, known: known)
        }
    }
}

/// What the bounds of rows with several exemplars make.
private struct CombinedBounds {
    private let combination: ExemplarCombination
    private var lower: [Double] = []
    private var upper: [Double] = []
    private var exemplars = 0.0

    init(_ combination: ExemplarCombination) { self.combination = combination }

    mutating func begin(count: Int) {
        let none = repeatElement(combination == .best ? -Double.infinity : 0, count: count)
        lower.replaceSubrange(lower.indices, with: none)
        upper.replaceSubrange(upper.indices, with: none)
        exemplars = 0
    }

    /// Adds those of an exemplar, of all rows that are admitted.
    mutating func add(_ pass: ChunkPass, known: SimilarityBounds?) {
        exemplars += 1
        var index = 0
        pass.forEach(known: known, atLeast: -.infinity) { _, low, high in
            if combination == .best {
                lower[index] = max(lower[index], Double(low))
                upper[index] = max(upper[index], Double(high))
            } else {
                lower[index] += Double(low)
                upper[index] += Double(high)
            }
            index += 1
            return -.infinity
        }
    }

    /// Of a row. A mean's are one step wider: they were added in another order than scores are.
    subscript(index: Int) -> (lower: Float, upper: Float) {
        if combination == .best { return (Float(lower[index]), Float(upper[index])) }
        return (Float(lower[index] / exemplars).nextDown, Float(upper[index] / exemplars).nextUp)
    }
}
