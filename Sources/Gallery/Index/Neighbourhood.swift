import Similarity

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
