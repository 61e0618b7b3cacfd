import Similarity

/// One pass over a snapshot of an index for several queries, on one thread of several: a chunk's codes are read once for four
/// queries that are compared with the same column.
struct IndexScan: Sendable {
    /// Up to four searches that are compared with one column by its cosine alone.
    struct Quartet: Sendable {
        let column: Int
        /// Which searches.
        let members: [Int]
        let codes: SimilarityQuartet
    }

    private let searches: [IndexSearch]
    /// By table.
    private let quartets: [[Quartet]]

    /// - Parameter searches: of one snapshot, at least one.
    init(_ searches: [IndexSearch]) {
        self.searches = searches
        quartets = searches[0].tables.indices.map { table in Self.quartets(of: searches, table) }
    }

    /// Those of a table, for searches of one snapshot.
    static func quartets(of searches: [IndexSearch], _ table: Int) -> [Quartet] {
        // One alone reads the codes as fast by itself.
        if searches.count == 1 { return [] }
        let terms = searches.indices.compactMap { index in
            searches[index].tables[table].comparison?.only.map { (index, $0) }
        }
        return Dictionary(grouping: terms) { $0.1.column }.flatMap { column, terms in
            stride(from: 0, to: terms.count, by: SimilarityQuartet.size).map { start in
                let some = terms[start..<min(start + SimilarityQuartet.size, terms.count)]
                return Quartet(
                    column: column, members: some.map(\.0), codes: SimilarityQuartet(some.map(\.1.query)))
            }
        }
    }

    /// Scans every `count`-th chunk. A part for each search.
    func run(_ slice: Int, of count: Int, without gone: [Set<Int64>]) -> [IndexSearch.Part] {
        var scans = zip(searches, gone).map { IndexSearch.Scan($0, without: $1) }
        var number = 0
        var bounds = [SimilarityBounds](repeating: SimilarityBounds(), count: SimilarityQuartet.size)
        for (index, table) in searches[0].tables.map(\.table).enumerated() {
            let together = Set(quartets[index].flatMap(\.members))
            for (place, chunk) in table.chunks.enumerated() {
                defer { number += 1 }
                guard number % count == slice else { continue }
                for search in searches.indices where !together.contains(search) {
                    scans[search].visit(chunk, place, ofTable: index)
                }
                for quartet in quartets[index] {
                    let isWorthIt = quartet.members.contains { scans[$0].admitsAll(of: chunk) }
                    if isWorthIt {
                        chunk.blocks[quartet.column].setBounds(quartet.codes, count: chunk.rows.count, to: &bounds)
                    }
                    for (member, search) in quartet.members.enumerated() {
                        scans[search].visit(chunk, place, ofTable: index, known: isWorthIt ? bounds[member] : nil)
                    }
                }
            }
        }
        return scans.indices.map { scans[$0].finish() }
    }
}
