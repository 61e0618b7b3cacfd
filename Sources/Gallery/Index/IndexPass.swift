import Similarity

/// A search over a snapshot of one part of an index, with one vector.
///
/// The first pass bounds every row's score from its int8 codes. A group is an identity, or a sighting on its own. At
/// least `limit` groups score no less than the limit-th largest of the groups' best lower bounds; a row whose upper
/// bound is below that floor cannot be among the answers, whatever its exact score. The second pass scores the others
/// in float32, so the answer equals that of a full float32 scan, ties included.
struct IndexPass: Sendable {
    typealias Hit = ExactSearch.Hit

    private struct Candidate {
        let chunk: Int32
        let row: Int32
        let lower: Float
        let upper: Float
    }

    let query: SimilarityQuery
    let chunks: [IndexChunk]
    let identities: Int
    let eligibility: Eligibility
    let limit: Int
    let threshold: Float?
    let grouping: Grouping

    /// Searches on the calling thread. O(rows · dimension) bytes read, and 4 · dimension more for each candidate.
    func run() -> ExactSearch.Outcome {
        let (rows, eligible) = boundedRows()
        let floor = max(lowerBoundOfAnswers(rows), threshold ?? -.infinity)
        let candidates = rows.filter { $0.upper >= floor }
        let hits = candidates.map(score).filter { $0.score >= threshold ?? -.infinity }.sorted(by: Hit.precedes)
        return ExactSearch.Outcome(
            hits: Hit.best(limit, of: hits, grouping), rows: eligible, candidates: candidates.count)
    }

    /// The eligible rows that may reach the threshold, and how many were eligible.
    private func boundedRows() -> (rows: [Candidate], eligible: Int) {
        var bounds = SimilarityBounds()
        var found: [Candidate] = []
        var eligible = 0
        let floor = threshold ?? -.infinity
        for (index, chunk) in chunks.enumerated() {
            let admitted = chunk.rows.indices.filter { eligibility.admits(chunk.rows[$0]) }
            if admitted.isEmpty { continue }
            eligible += admitted.count
            // The codes of a whole chunk are as many bytes as a quarter of its float32 rows.
            let isSparse = admitted.count * 4 <= chunk.rows.count
            if !isSparse { chunk.block.bounds(query, count: chunk.rows.count, into: &bounds) }
            for row in admitted {
                let score = isSparse ? chunk.block.product(query, row: row) : 0
                let (lower, upper) = isSparse ? (score, score) : (bounds.lower[row], bounds.upper[row])
                if upper < floor { continue }
                found.append(Candidate(chunk: Int32(index), row: Int32(row), lower: lower, upper: upper))
            }
        }
        return (found, eligible)
    }

    private func lowerBoundOfAnswers(_ rows: [Candidate]) -> Float {
        switch grouping {
        case .sighting: return Self.largest(limit, of: rows.lazy.map(\.lower))
        case .identity:
            var best = [Float](repeating: -.infinity, count: identities)
            for row in rows {
                let identity = Int(chunks[Int(row.chunk)].rows[Int(row.row)].identity)
                best[identity] = max(best[identity], row.lower)
            }
            return Self.largest(limit, of: best)
        }
    }

    /// The count-th largest number, or −∞ if there are fewer. Expected O(n + count · log² n) on shuffled numbers.
    private static func largest(_ count: Int, of numbers: some Sequence<Float>) -> Float {
        var best: [Float] = []
        var floor = -Float.infinity
        for number in numbers where number > floor {
            best.append(number)
            guard best.count == 2 * count else { continue }
            best.sort(by: >)
            best.removeLast(count)
            floor = best[count - 1]
        }
        best.sort(by: >)
        return best.count < count ? -.infinity : best[count - 1]
    }

    private func score(_ candidate: Candidate) -> Hit {
        let chunk = chunks[Int(candidate.chunk)]
        let row = chunk.rows[Int(candidate.row)]
        return Hit(
            sighting: row.sighting, score: chunk.block.product(query, row: Int(candidate.row)), identity: row.identity)
    }
}
