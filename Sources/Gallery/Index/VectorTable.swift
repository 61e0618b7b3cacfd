import Similarity

/// The sightings of an index that have the same modalities.
///
/// Its columns hold the codes of unit vectors: one a modality, and where several are added the one that they make, so that a
/// whole triple is compared by one pass; or one for each set of modalities, where they give each other something; or one for vectors
/// that cannot be taken apart. Of each sighting the lengths of its
/// vectors are kept, and of what each smaller set of them makes: with these, cosines over any of them follow from the
/// columns.
struct VectorTable: Sendable {
    /// Sorted names.
    let names: [String]
    let isFused: Bool
    /// Whether there is a column for each set of the modalities.
    let hasSets: Bool
    let space: VectorSpace
    private(set) var chunks: [VectorChunk] = []
    private(set) var live = 0
    /// Sets of modalities whose lengths are kept, as bits; of sums only.
    private let subsets: [Int]

    /// For sightings that have vectors of these kinds.
    init(_ vectors: VectorCombination) {
        self.init(vectors.names, isFused: vectors.isFused, hasSets: vectors.hasSets, vectors.space)
    }

    /// - Parameter names: sorted.
    init(_ names: [String], isFused: Bool, hasSets: Bool, _ space: VectorSpace) {
        (self.names, self.isFused, self.hasSets, self.space) = (names, isFused, hasSets, space)
        let all = 1 << names.count
        let isSum = space.combination == .sum && !isFused && !hasSets
        subsets = isSum ? (1..<max(all - 1, 1)).filter { $0.nonzeroBitCount > 1 } : []
    }

    /// Elements of each column.
    var columns: [Int] {
        if isFused { return [space.elements(ofModalities: names.count)] }
        if hasSets { return (1..<(1 << names.count)).map { space.elements(ofModalities: $0.nonzeroBitCount) } }
        return [Int](repeating: space.partDimension, count: names.count + (hasWhole ? 1 : 0))
    }

    /// Whether the last column is what all modalities make.
    private var hasWhole: Bool { !isFused && !hasSets && space.combination == .sum && names.count > 1 }

    private var lengthsPerRow: Int { isFused || hasSets ? 0 : names.count + subsets.count }

    /// Bytes of a full chunk.
    var chunkBytes: Int {
        let row = columns.reduce(0) { $0 + $1 + 12 } + lengthsPerRow * 4 + MemoryLayout<IndexRow>.stride
        return row * SimilarityBlock.capacity
    }

    /// What a table keeps of a sighting's vectors.
    struct Prepared: Sendable {
        /// An empty one of its kind.
        let table: VectorTable
        let units: [[Float]]
        let lengths: [Float]

        /// nil if one of the vectors has no length. O(elements).
        init?(_ vectors: VectorCombination) {
            let table = VectorTable(vectors)
            guard let units = table.units(vectors), let lengths = table.lengths(vectors) else { return nil }
            (self.table, self.units, self.lengths) = (table, units, lengths)
        }
    }

    /// Whether it is for sightings of the same kind.
    func isLike(_ other: VectorTable) -> Bool {
        names == other.names && isFused == other.isFused && hasSets == other.hasSets
    }

    /// Whether its sightings have some of these modalities to be compared by, but not all.
    func sharesSome(of others: [String]) -> Bool {
        let shared = others.filter(names.contains)
        return !isFused && !shared.isEmpty && shared.count < others.count
    }

    /// Where a sighting went.
    mutating func append(_ row: IndexRow, _ prepared: Prepared) -> (chunk: Int, row: Int) {
        if chunks.last?.hasRoom != true { chunks.append(VectorChunk(columns: columns, lengths: lengthsPerRow)) }
        let last = chunks.count - 1
        chunks[last].append(row, prepared.units, lengths: prepared.lengths)
        live += 1
        return (last, chunks[last].rows.count - 1)
    }

    private func units(_ vectors: VectorCombination) -> [[Float]]? {
        let sets =
            hasSets
            ? (1..<(1 << names.count)).map(set) : isFused ? [names] : names.map { [$0] } + (hasWhole ? [names] : [])
        let units = sets.compactMap { vectors.unit(over: $0) }
        let isSound = zip(units, columns).allSatisfy { $0.count == $1 }
        return units.count == sets.count && isSound ? units : nil
    }

    /// By its bits.
    private func set(_ bits: Int) -> [String] { names.indices.filter { bits & 1 << $0 != 0 }.map { names[$0] } }

    private func lengths(_ vectors: VectorCombination) -> [Float]? {
        if isFused || hasSets { return [] }
        let sets = names.map { [$0] } + subsets.map(set)
        let lengths = sets.map { Float(vectors.length(over: $0)) }
        return lengths.allSatisfy { $0.isFinite } ? lengths : nil
    }

    mutating func update(chunk: Int, row: Int, _ change: (inout IndexRow) -> Void) { chunks[chunk].update(row, change) }

    /// Marks a row as deleted. A chunk that lost half its rows is rewritten: then says where its rows are now.
    mutating func remove(chunk: Int, row: Int) -> [(sighting: Int64, row: Int)] {
        chunks[chunk].remove(row)
        live -= 1
        guard chunks[chunk].live * 2 <= chunks[chunk].rows.count, chunk < chunks.count - 1 || chunks[chunk].live == 0
        else { return [] }
        chunks[chunk] =
            chunks[chunk].live == 0
            ? VectorChunk(columns: columns, lengths: lengthsPerRow) : chunks[chunk].compacted()
        return chunks[chunk].rows.enumerated().map { ($1.sighting, $0) }
    }

    /// How this table's sightings are compared with a query; nil if they cannot be.
    func comparison(with query: VectorCombination) -> TableComparison? {
        if isFused || query.isFused {
            guard names == query.names, let unit = query.unit(over: names) else { return nil }
            if isFused || hasWhole || hasSets {
                return TableComparison(unit: unit, names: names, terms: [.init(unit, columns.count - 1)])
            }
            return terms(over: names, unit, query)
        }
        let shared = names.filter(query.names.contains)
        if shared.isEmpty {
            guard space.combination == .sum, let unit = query.unit(over: query.names) else { return nil }
            return TableComparison(unit: unit, names: names, terms: [.init(unit, columns.count - 1)])
        }
        guard let unit = query.unit(over: shared) else { return nil }
        if hasSets {
            let bits = shared.compactMap(names.firstIndex).reduce(0) { $0 | 1 << $1 }
            return TableComparison(unit: unit, names: shared, terms: [.init(unit, bits - 1)])
        }
        if hasWhole && shared == names || shared.count == 1 {
            let column = shared.count == 1 ? names.firstIndex(of: shared[0]) : nil
            return TableComparison(unit: unit, names: shared, terms: [.init(unit, column ?? columns.count - 1)])
        }
        return terms(over: shared, unit, query)
    }

    /// A cosine over several modalities is the sum of those of the modalities, each by its share of the length.
    private func terms(over shared: [String], _ unit: [Float], _ query: VectorCombination) -> TableComparison {
        let indices = shared.compactMap(names.firstIndex)
        if space.combination == .sum {
            let bits = indices.reduce(0) { $0 | 1 << $1 }
            let divisor = subsets.firstIndex(of: bits).map { names.count + $0 }
            return TableComparison(
                unit: unit, names: shared, terms: indices.map { .init(unit, $0, length: $0) }, divisor: divisor)
        }
        let order = space.modalities.filter(shared.contains)
        let width = space.partDimension
        let terms = order.enumerated().compactMap { place, name in
            names.firstIndex(of: name).map { index in
                // A fused query of blocks is its blocks side by side.
                TableComparison.Term(Array(unit[(place * width)..<((place + 1) * width)]), index, length: index)
            }
        }
        return TableComparison(unit: unit, names: shared, terms: terms)
    }
}

/// How the sightings of a table are compared with one query: a sum of inner products of columns.
struct TableComparison: Sendable {
    /// A column's share.
    struct Term: Sendable {
        let vector: [Float]
        let query: SimilarityQuery
        let column: Int
        /// Which length of a row this column's unit vector counts for; nil for one.
        let length: Int?

        init(_ vector: [Float], _ column: Int, length: Int? = nil) {
            (self.vector, query, self.column, self.length) = (vector, SimilarityQuery(vector), column, length)
        }
    }

    /// The term, if it is the only one and its product is the cosine itself.
    var only: Term? { terms.count == 1 && terms[0].length == nil ? terms[0] : nil }

    /// The query's unit vector over `names`, for the definitive score.
    let unit: SimilarityQuery
    /// The modalities of the sightings that are compared.
    let names: [String]
    let terms: [Term]
    /// Which length of a row the terms are divided by; nil for the root of the sum of their squares.
    let divisor: Int?

    init(unit: [Float], names: [String], terms: [Term], divisor: Int? = nil) {
        (self.unit, self.names, self.terms, self.divisor) = (SimilarityQuery(unit), names, terms, divisor)
    }
}
