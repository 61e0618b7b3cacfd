import Similarity

/// One pass over a snapshot of an index for several queries, on one thread of several: a chunk's codes are read once for four
/// queries that are compared with the same column.
struct IndexScan: Sendable {
    private struct Quartet: Sendable {
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

    private static func quartets(of searches: [IndexSearch], _ table: Int) -> [Quartet] {
        let terms = searches.indices.compactMap { index in
            searches[index].tables[table].comparison?.only.map { (index, $0) }
        }
        return Dictionary(grouping: terms) { $0.1.column }.flatMap { column, terms in
            stride(from: 0, to: terms.count, by: SimilarityQuartet.size).compactMap { start in
                let some = terms[start..<min(start + SimilarityQuartet.size, terms.count)]
                return SimilarityQuartet(some.map(\.1.query)).map {
                    Quartet(column: column, members: some.map(\.0), codes: $0)
                }
            }
        }
    }

    /// Scans every `count`-th chunk. A part for each search.
    func run(_ slice: Int, of count: Int, without gone: [Set<Int64>]) -> [IndexSearch.Part] {
        var scans = zip(searches, gone).map { IndexSearch.Scan($0, without: $1) }
        var number = 0
        var products: [Int32] = []
        for (index, table) in searches[0].tables.map(\.table).enumerated() {
            let alone = searches.indices.filter { search in !quartets[index].contains { $0.members.contains(search) } }
            for chunk in table.chunks {
                defer { number += 1 }
                guard number % count == slice else { continue }
                for search in alone { scans[search].visit(chunk, ofTable: index) }
                let rows = chunk.rows.count
                for quartet in quartets[index] {
                    chunk.blocks[quartet.column].products(quartet.codes, count: rows, into: &products)
                    for (place, search) in quartet.members.enumerated() {
                        let known = products[(place * rows)..<((place + 1) * rows)]
                        scans[search].visit(chunk, ofTable: index, known: known)
                    }
                }
            }
        }
        return scans.indices.map { scans[$0].finish() }
    }
}
