import Foundation

/// Re-ranking by what neighbours have in common (Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding",
/// CVPR 2017): of two that look alike, the one whose own nearest are also the query's comes first.
public struct KReciprocal: Sendable, Equatable {
    /// How many neighbours are looked at, from 1.
    public var k1 = 20
    /// Over how many of them a description is averaged, from 1.
    public var k2 = 6
    /// What the distance itself counts for beside what is in common, 0 to 1.
    public var weight = 0.3

    /// The paper's.
    public init() {}

    /// The distances by which others are ranked, from the squared Euclidean distances of all of them: the first is the query.
    /// O(n²) for n of them, and n·k1².
    ///
    /// - Parameter squared: n rows of n, symmetric.
    /// - Returns: n − 1, in their order.
    public func distances(_ squared: [[Double]]) -> [Double] {
        guard let query = squared.first else { return [] }
        let encoding = KReciprocalEncoding(self, count: squared.count) { visit in
            for (member, row) in squared.enumerated() { visit(member, row) }
        }
        return Array(encoding.distances(from: 0, query).dropFirst())
    }
}

/// The k-reciprocal neighbours of some members, from which the distances between any two follow.
public struct KReciprocalEncoding: Sendable {
    /// Equation 7: who a member is described by, ascending, and how near each is; all others count for nothing.
    private struct Description {
        var members: [Int]
        var weights: [Double]
    }

    private let parameters: KReciprocal
    private let descriptions: [Description]
    /// By member, whose descriptions have it, and what it counts for there.
    private let holders: [[(owner: Int, weight: Double)]]

    /// Encodes members by their squared Euclidean distances, of which no more than a row is kept.
    /// O(n²) for n of them, and n·k1².
    ///
    /// - Parameters:
    ///   - parameters: how many neighbours count, and for how much.
    ///   - count: of members, n.
    ///   - rows: gives each member's row of n distances to what it is called with, in any order, whenever it is called.
    public init(
        _ parameters: KReciprocal, count: Int, rows: ((_ member: Int, _ squared: [Double]) -> Void) -> Void
    ) {
        self.parameters = parameters
        let reach = max(parameters.k1 + 1, parameters.k2)
        var nearest = [[Int]](repeating: [], count: count)
        rows { nearest[$0] = Self.nearest(Self.scaled($1), reach) }
        let expanded = nearest.indices.map { Self.expanded($0, nearest, parameters.k1) }
        var own = [Description](repeating: Description(members: [], weights: []), count: count)
        rows { member, squared in
            let distances = Self.scaled(squared)
            let weights = expanded[member].map { exp(-distances[$0]) }
            let sum = weights.reduce(0, +)
            own[member] = Description(members: expanded[member], weights: weights.map { $0 / sum })
        }
        descriptions =
            parameters.k2 > 1 ? nearest.map { Self.mean($0.prefix(parameters.k2).map { own[$0] }) } : own
        var holders = [[(owner: Int, weight: Double)]](repeating: [], count: count)
        for (owner, description) in descriptions.enumerated() {
            for (member, weight) in zip(description.members, description.weights) {
                holders[member].append((owner, weight))
            }
        }
        self.holders = holders
    }

    /// The distances from a member to all, itself among them: what they have in common (equation 10), and the distance itself.
    /// O(n) and as many steps as they share.
    ///
    /// - Parameter squared: the member's row, as it was when it was encoded.
    public func distances(from member: Int, _ squared: [Double]) -> [Double] {
        var shared = [Double](repeating: 0, count: squared.count)
        for (other, weight) in zip(descriptions[member].members, descriptions[member].weights) {
            for holder in holders[other] { shared[holder.owner] += min(weight, holder.weight) }
        }
        return zip(shared, Self.scaled(squared)).map { shared, distance in
            (1 - shared / (2 - shared)) * (1 - parameters.weight) + distance * parameters.weight
        }
    }

    /// The paper's code divides each by the largest.
    private static func scaled(_ squared: [Double]) -> [Double] {
        let largest = squared.max() ?? 1
        return squared.map { $0 / (largest > 0 ? largest : 1) }
    }

    /// The first members of a row in order, the earlier of equals first. O(n) and little more where few are asked for.
    private static func nearest(_ distances: [Double], _ count: Int) -> [Int] {
        var best: [Int] = []
        for (member, distance) in distances.enumerated() {
            if best.count == count, distance >= distances[best[count - 1]] { continue }
            var place = best.count
            while place > 0, distance < distances[best[place - 1]] { place -= 1 }
            best.insert(member, at: place)
            if best.count > count { best.removeLast() }
        }
        return best
    }

    /// The k-reciprocal neighbours of a member, and theirs where they share most of them, ascending.
    private static func expanded(_ member: Int, _ nearest: [[Int]], _ k1: Int) -> [Int] {
        let reciprocal = reciprocal(member, nearest, k1 + 1)
        var expanded = Set(reciprocal)
        let half = Int((Double(k1) / 2).rounded(.toNearestOrEven)) + 1
        for neighbour in reciprocal {
            let theirs = Self.reciprocal(neighbour, nearest, half)
            let shared = theirs.count { reciprocal.contains($0) }
            if 3 * shared > 2 * theirs.count { expanded.formUnion(theirs) }
        }
        return expanded.sorted()
    }

    private static func reciprocal(_ member: Int, _ nearest: [[Int]], _ count: Int) -> [Int] {
        nearest[member].prefix(count).filter { nearest[$0].prefix(count).contains(member) }
    }

    private static func mean(_ descriptions: [Description]) -> Description {
        var sums: [Int: Double] = [:]
        for description in descriptions {
            for (member, weight) in zip(description.members, description.weights) { sums[member, default: 0] += weight }
        }
        let members = sums.keys.sorted()
        return Description(
            members: members, weights: members.map { (sums[$0] ?? 0) / Double(descriptions.count) })
    }
}
