import Foundation
import Similarity

/// Re-ranking by what neighbours have in common (Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding",
/// CVPR 2017): of two that look alike, the one whose own nearest are also the query's comes first.
package struct KReciprocal {
    /// How many neighbours are looked at.
    package var k1 = 20
    /// Over how many of them a description is averaged.
    package var k2 = 6
    /// What the distance itself counts for beside what is in common.
    var weight = 0.3

    package init() {}

    /// The distances by which others are ranked, from the squared Euclidean distances of all of them: the first is the query.
    /// O(n²) for n of them, and n·k1².
    ///
    /// - Parameter squared: n rows of n, symmetric.
    /// - Returns: n − 1, in their order.
    package func distances(_ squared: [[Double]]) -> [Double] {
        // The paper's code divides each by the largest.
        let original = squared.map { row in
            let largest = row.max() ?? 1
            return row.map { $0 / (largest > 0 ? largest : 1) }
        }
        let ranks = original.map { row in row.indices.sorted { row[$0] != row[$1] ? row[$0] < row[$1] : $0 < $1 } }
        let own = original.indices.map { encoding(of: $0, original[$0], ranks) }
        let averaged = original.indices.map { k2 > 1 ? mean(ranks[$0].prefix(k2).map { own[$0] }) : own[$0] }
        return original.indices.dropFirst().map { other in
            let shared = zip(averaged[0], averaged[other]).reduce(0) { $0 + min($1.0, $1.1) }
            return (1 - shared / (2 - shared)) * (1 - weight) + original[0][other] * weight
        }
    }

    /// Equation 7: how near the k-reciprocal neighbours are, and those of them that share most of theirs.
    private func encoding(of index: Int, _ distances: [Double], _ ranks: [[Int]]) -> [Double] {
        let reciprocal = Self.reciprocal(index, ranks, k1 + 1)
        var expanded = Set(reciprocal)
        let half = Int((Double(k1) / 2).rounded(.toNearestOrEven)) + 1
        for neighbour in reciprocal {
            let theirs = Self.reciprocal(neighbour, ranks, half)
            let shared = theirs.count { reciprocal.contains($0) }
            if 3 * shared > 2 * theirs.count { expanded.formUnion(theirs) }
        }
        var encoding = [Double](repeating: 0, count: distances.count)
        for other in expanded { encoding[other] = exp(-distances[other]) }
        let sum = encoding.reduce(0, +)
        return encoding.map { $0 / sum }
    }

    private static func reciprocal(_ index: Int, _ ranks: [[Int]], _ count: Int) -> [Int] {
        ranks[index].prefix(count).filter { ranks[$0].prefix(count).contains(index) }
    }

    private func mean(_ rows: [[Double]]) -> [Double] {
        rows[0].indices.map { column in rows.reduce(0) { $0 + $1[column] } / Double(rows.count) }
    }
}

/// The vectors of a query and of what it found, each with each compared by what the two share.
struct Neighbourhood {
    private let members: [VectorCombination]
    private let space: VectorSpace
    /// By member and by names.
    private var units: [[String: [Float]?]]

    /// nil if one of them has other vectors than the space.
    init?(_ vectors: [[IndexVector]], in space: VectorSpace) {
        let members = vectors.compactMap { VectorCombination($0, in: space) }
        guard members.count == vectors.count else { return nil }
        (self.members, self.space) = (members, space)
        units = [[String: [Float]?]](repeating: [:], count: members.count)
    }

    /// Squared distances of unit vectors, 2 − 2·cosine; those of vectors at right angles where there is nothing to compare.
    mutating func squaredDistances() -> [[Double]] {
        var squared = [[Double]](repeating: [Double](repeating: 0, count: members.count), count: members.count)
        for first in members.indices {
            for second in (first + 1)..<max(members.count, first + 1) {
                let distance = max(2 - 2 * Double(cosine(first, second) ?? 0), 0)
                (squared[first][second], squared[second][first]) = (distance, distance)
            }
        }
        return squared
    }

    private mutating func cosine(_ first: Int, _ second: Int) -> Float? {
        let (a, b) = (members[first], members[second])
        if a.isFused || b.isFused {
            return a.names == b.names ? product(first, a.names, second, b.names) : nil
        }
        let shared = a.names.filter(b.names.contains)
        if !shared.isEmpty { return product(first, shared, second, shared) }
        return space.combination == .sum ? product(first, a.names, second, b.names) : nil
    }

    private mutating func product(_ first: Int, _ ofFirst: [String], _ second: Int, _ ofSecond: [String]) -> Float? {
        guard let a = unit(first, ofFirst), let b = unit(second, ofSecond), a.count == b.count else { return nil }
        return SimilarityKernels.product(a, b)
    }

    private mutating func unit(_ member: Int, _ names: [String]) -> [Float]? {
        let key = names.joined(separator: ",")
        if let known = units[member][key] { return known }
        let unit = members[member].unit(over: names).map(SimilarityKernels.padded)
        units[member][key] = unit
        return unit
    }
}
