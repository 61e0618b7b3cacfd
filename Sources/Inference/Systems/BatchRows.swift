import Tensor

/// Which triples of a training batch have an image of each modality. Where some have lost one, a modality's tensor has fewer rows
/// than the batch has triples.
public struct BatchRows: Sendable, Equatable {
    /// Triples.
    public let count: Int
    /// Of the modalities that not all triples have: those that do, rising.
    private let some: [Modality: [Int]]

    /// Of a batch whose triples all have what the batch has.
    public init(_ count: Int) { (self.count, some) = (count, [:]) }

    /// - Parameter sets: the modalities of each triple.
    public init(_ sets: [Set<Modality>]) {
        count = sets.count
        some = Modality.allCases.reduce(into: [:]) { some, modality in
            let rows = sets.indices.filter { sets[$0].contains(modality) }
            if rows.count < sets.count { some[modality] = rows }
        }
    }

    /// The triples that have a modality, rising.
    public func rows(of modality: Modality) -> [Int] { some[modality] ?? Array(0..<count) }

    /// The batch cut into parts of at most so many triples: for each, the range of each modality's rows that are of it.
    public func parts(of size: Int) -> [[Modality: Range<Int>]] {
        stride(from: 0, to: count, by: size).map { start in
            let end = min(start + size, count)
            return Modality.allCases.reduce(into: [:]) { ranges, modality in
                let rows = some[modality].map { rows in rows.firstIndex { $0 >= start } ?? rows.count } ?? start
                let after = some[modality].map { rows in rows.firstIndex { $0 >= end } ?? rows.count } ?? end
                if rows < after { ranges[modality] = rows..<after }
            }
        }
    }

    /// The same of some of the triples alone.
    public func sliced(_ range: Range<Int>) -> BatchRows {
        BatchRows(range.map { row in Set(Modality.allCases.filter { some[$0]?.contains(row) ?? true }) })
    }

    /// Whether all triples have the modalities that the batch has of these.
    func isWhole(_ modalities: [Modality]) -> Bool { modalities.allSatisfy { some[$0] == nil } }

    /// The rows of a modality, [n, ...], at their places in the batch, [count, ...], with zeros for triples that lack it.
    func placed(_ x: Tensor, _ modality: Modality) -> Tensor {
        guard let rows = some[modality] else { return x }
        var nothing = x.shape.dimensions
        nothing[0] = 1
        var places = [Int](repeating: rows.count, count: count)
        for (place, row) in rows.enumerated() { places[row] = place }
        return Tensor.concatenated([x, .zeros(Shape(nothing))], axis: 0).rows(at: places)
    }

    /// The rows of one modality for the triples that have another: zeros for those that lack the one.
    func aligned(_ x: Tensor, of modality: Modality, to other: Modality) -> Tensor {
        guard some[modality] != some[other] else { return x }
        let whole = placed(x, modality)
        return some[other].map { whole.rows(at: $0) } ?? whole
    }

    /// For each triple the mean over the modalities that it has: [count, ...].
    func mean(_ parts: [(modality: Modality, rows: Tensor)]) -> Tensor {
        if isWhole(parts.map(\.modality)) { return Tensor.mean(of: parts.map(\.rows)) }
        let placed = parts.map { self.placed($0.rows, $0.modality) }
        let sum = placed.dropFirst().reduce(placed[0], +)
        var counts = [Float](repeating: 0, count: count)
        for part in parts { for row in rows(of: part.modality) { counts[row] += 1 } }
        let shares = Tensor(counts.map { 1 / max($0, 1) }, shape: [count])
        return sum.reshaped([count, sum.count / count]).multiplied(by: shares, repeatedAlong: 1).reshaped(sum.shape)
    }

    /// What `encode` makes of triples of the same modalities, each such set apart, in the order of the batch: [count, ...].
    func bySet(
        _ parts: [(modality: Modality, rows: Tensor)], _ encode: ([(modality: Modality, rows: Tensor)]) -> Tensor
    ) -> Tensor {
        if isWhole(parts.map(\.modality)) { return encode(parts) }
        let has = parts.map { Set(rows(of: $0.modality)) }
        let groups = Dictionary(grouping: 0..<count) { row in has.map { $0.contains(row) ? 1 : 0 } }
            .values.sorted { $0[0] < $1[0] }
        let encoded = groups.map { group in
            encode(
                parts.indices.filter { has[$0].contains(group[0]) }.map { index in
                    let (modality, rows) = parts[index]
                    return (modality, placed(rows, modality).rows(at: group))
                })
        }
        let order = groups.flatMap { $0 }
        var places = [Int](repeating: 0, count: count)
        for (place, row) in order.enumerated() { places[row] = place }
        return Tensor.concatenated(encoded, axis: 0).rows(at: places)
    }
}
