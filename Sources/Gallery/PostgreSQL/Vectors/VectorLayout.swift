import Similarity

/// The sightings of a model that have the same modalities, as a database that is searched keeps them: the columns of a `VectorTable` are
/// parts of each.
///
/// Of blocks there is one part more, what all of them make side by side, as long as pgvector can index it: so whole triples are found
/// in one index.
struct VectorLayout: Sendable {
    let id: Int64
    let table: VectorTable
    /// How many a gallery has.
    let sightings: Int
    /// Parts that have an index.
    let indexed: Set<Int>

    /// What is compared of a layout with a query: the sum of some parts' inner products, or one.
    struct Plan: Sendable {
        struct Term: Sendable {
            let part: Int
            let vector: [Float]
        }

        let terms: [Term]
        /// The term, if its product is the score itself.
        var only: Term? { terms.count == 1 ? terms[0] : nil }
    }

    /// Of sightings with these modalities.
    static func kind(_ table: VectorTable) -> String {
        (table.isFused ? "!" : table.hasSets ? "*" : "") + table.names.joined(separator: ",")
    }

    static func table(ofKind kind: String, in space: VectorSpace) -> VectorTable {
        let (isFused, hasSets) = (kind.hasPrefix("!"), kind.hasPrefix("*"))
        let names = (isFused || hasSets ? kind.dropFirst() : kind[...]).split(separator: ",").map(String.init)
        return VectorTable(names, isFused: isFused, hasSets: hasSets, space)
    }

    /// Elements of each part.
    static func dimensions(of table: VectorTable) -> [Int] {
        table.columns + (hasWhole(table) ? [table.space.elements(ofModalities: table.names.count)] : [])
    }

    private static func hasWhole(_ table: VectorTable) -> Bool {
        table.space.combination == .blocks && !table.isFused && !table.hasSets && table.names.count > 1
            && table.space.elements(ofModalities: table.names.count) <= VectorSchema.largestIndexed
    }

    /// A sighting's unit vectors, a part each, with the lengths that they had where these count; nil if one has no length. O(elements).
    static func parts(of vectors: VectorCombination) -> (table: VectorTable, parts: [(unit: [Float], length: Float)])? {
        guard let prepared = VectorTable.Prepared(vectors) else { return nil }
        var parts = prepared.units.enumerated().map { place, unit in
            (unit, place < prepared.table.names.count && !prepared.lengths.isEmpty ? prepared.lengths[place] : 1)
        }
        if hasWhole(prepared.table) {
            guard let whole = vectors.unit(over: vectors.names) else { return nil }
            parts.append((whole, 1))
        }
        return (prepared.table, parts)
    }

    func plan(_ comparison: TableComparison, _ query: VectorCombination) -> Plan {
        if comparison.only == nil, comparison.names == table.names, Self.hasWhole(table),
            let unit = query.unit(over: query.isFused ? query.names : comparison.names)
        {
            return Plan(terms: [Plan.Term(part: table.columns.count, vector: unit)])
        }
        return Plan(terms: comparison.terms.map { Plan.Term(part: $0.column, vector: $0.vector) })
    }

    /// Whether all that a plan compares has an index.
    func isIndexed(_ plan: Plan) -> Bool { plan.terms.allSatisfy { indexed.contains($0.part) } }
}
