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
    }

    /// What a slice of the chunks gave.
    struct Part: Sendable {
        var candidates: [Candidate] = []
        var eligible = 0
        var incomparable = 0
    }

    let tables: [(table: VectorTable, comparison: TableComparison?)]
    let identities: Int
    let eligibility: Eligibility
    let query: VectorIndex.Query

    private var threshold: Float { query.threshold ?? -.infinity }

    /// Scans every `count`-th chunk, on the calling thread.
    func scan(_ slice: Int, of count: Int) -> Part {
        var (part, bounds, number) = (Part(), RowBounds(), 0)
        for (index, (table, comparison)) in tables.enumerated() {
            for chunk in table.chunks {
                defer { number += 1 }
                guard number % count == slice else { continue }
                let admitted = chunk.rows.indices.filter { eligibility.admits(chunk.rows[$0]) }
                guard let comparison else {
                    part.incomparable += admitted.count
                    continue
                }
                part.eligible += admitted.count
                if admitted.isEmpty { continue }
                bounds.compute(comparison, chunk)
                for row in admitted where bounds.upper[row] >= threshold {
                    part.candidates.append(
                        Candidate(
                            sighting: chunk.rows[row].sighting, identity: chunk.rows[row].identity, table: Int32(index),
                            lower: bounds.lower[row], upper: bounds.upper[row]))
                }
            }
        }
        return part
    }

    /// Scores what the bounds leave. A candidate that the store no longer has counts for nothing, so others take its place.
    func finish(_ parts: [Part], source: some VectorSource) throws -> VectorIndex.Outcome {
        var open = parts.flatMap(\.candidates)
        var hits: [Hit] = []
        var scored = 0
        var gone: Set<Int64> = []
        var known: [Candidate] = []
        repeat {
            let floor = max(lowerBoundOfAnswers(known + open), threshold)
            let next = open.filter { $0.upper >= floor }
            if next.isEmpty { break }
            open.removeAll { $0.upper >= floor }
            scored += next.count
            gone = []
            let found = try score(next, source)
            for candidate in next where found[candidate.sighting] == nil { gone.insert(candidate.sighting) }
            known += next.filter { !gone.contains($0.sighting) }
            hits += known.suffix(next.count - gone.count).compactMap { candidate in
                found[candidate.sighting].map {
                    Hit(sighting: candidate.sighting, score: $0, identity: candidate.identity)
                }
            }
        } while !gone.isEmpty
        let sorted = hits.filter { $0.score >= threshold }.sorted(by: Hit.precedes)
        return VectorIndex.Outcome(
            hits: Hit.best(query.limit, of: sorted, query.grouping), rows: parts.reduce(0) { $0 + $1.eligible },
            candidates: scored, incomparable: parts.reduce(0) { $0 + $1.incomparable })
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
                guard let found = vectors[candidate.sighting], let comparison else { continue }
                guard let combination = VectorCombination(found, in: table.space), combination.names == table.names,
                    let unit = combination.unit(over: comparison.names)
                else {
                    continue
                }
                scores[candidate.sighting] = comparison.unit.product(with: unit)
            }
        }
        return scores
    }

    private func lowerBoundOfAnswers(_ candidates: [Candidate]) -> Float {
        switch query.grouping {
        case .sighting: return Self.largest(query.limit, of: candidates.lazy.map(\.lower))
        case .identity:
            var best = [Float](repeating: -.infinity, count: identities)
            for candidate in candidates {
                best[Int(candidate.identity)] = max(best[Int(candidate.identity)], candidate.lower)
            }
            return Self.largest(query.limit, of: best)
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
}

/// Bounds of the definitive score of each row of a chunk, from its codes and lengths.
///
/// With unit vectors u of the row's modalities, their lengths l, and L the length of what they make together, the cosine is
/// Σ l·(q·u) / L. Each q·u lies within its block's bounds. What is added covers rounding: of the definitive score's sum and of
/// its unit vectors (see `SimilarityBlock`), and of lengths, each a few parts in 2²⁴ of Σ l / L.
private struct RowBounds {
    private(set) var lower: [Float] = []
    private(set) var upper: [Float] = []
    private var weights: [Float] = []
    private var block = SimilarityBounds()

    mutating func compute(_ comparison: TableComparison, _ chunk: VectorChunk) {
        let count = chunk.rows.count
        lower = [Float](repeating: 0, count: count)
        (upper, weights) = (lower, lower)
        for term in comparison.terms {
            chunk.blocks[term.column].bounds(term.query, count: count, into: &block)
            for row in 0..<count {
                let weight = Self.weight(term, comparison, chunk, row)
                lower[row] += weight * block.lower[row]
                upper[row] += weight * block.upper[row]
                weights[row] += weight
            }
        }
        let rounding = Float(comparison.unit.dimension / 16 + 128) * 0x1p-22
        for row in 0..<count {
            lower[row] -= rounding * weights[row]
            upper[row] += rounding * weights[row]
        }
    }

    private static func weight(
        _ term: TableComparison.Term, _ comparison: TableComparison, _ chunk: VectorChunk, _ row: Int
    ) -> Float {
        guard let length = term.length else { return 1 }
        if let divisor = comparison.divisor { return chunk.length(length, of: row) / chunk.length(divisor, of: row) }
        let squares = comparison.terms.reduce(Float(0)) { sum, term in
            let other = term.length.map { chunk.length($0, of: row) } ?? 1
            return sum + other * other
        }
        return chunk.length(length, of: row) / squares.squareRoot()
    }
}
