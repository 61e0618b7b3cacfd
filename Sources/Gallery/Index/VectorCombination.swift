import Foundation
import Similarity

/// A vector of one modality, or of several joined by commas one that cannot be taken apart, as it is stored.
package struct IndexVector: Sendable, Equatable {
    package let modalities: String
    /// Little-endian float32.
    package let bytes: Data

    package init(modalities: String, bytes: Data) { (self.modalities, self.bytes) = (modalities, bytes) }

    /// Of how many modalities it is.
    var count: Int { modalities.count { $0 == "," } + 1 }
}

/// Gives the float32 vectors of sightings, which an index does not hold. Called on threads for searching.
package protocol VectorSource: Sendable {
    /// By row number of the sighting; those that are there no more are left out.
    func vectors(of sightings: [Int64]) throws -> [Int64: [IndexVector]]
}

/// The vectors of one sighting or query by name, and what they make together.
struct VectorCombination: Sendable {
    let space: VectorSpace
    /// Sorted by name.
    let names: [String]
    /// Whether there is one vector of several modalities.
    let isFused: Bool
    /// Whether there is one for each set of the modalities.
    let hasSets: Bool
    /// What each vector is of, joined by commas.
    private let keys: [String]
    private let values: [[Float]]

    /// nil unless each vector has the length that it has in the space.
    init?(_ vectors: [IndexVector], in space: VectorSpace) {
        let sorted = vectors.sorted { $0.modalities < $1.modalities }
        self.space = space
        keys = sorted.map(\.modalities)
        isFused = sorted.count == 1 && sorted[0].count > 1
        hasSets = sorted.count > 1 && sorted.contains { $0.count > 1 }
        names = hasSets ? keys.filter { !$0.contains(",") } : keys.flatMap { $0.split(separator: ",").map(String.init) }
        values = sorted.map { UnitVector.values($0.bytes) }
        let widths = sorted.map { space.elements(ofModalities: $0.count) }
        guard !values.isEmpty, zip(values, widths).allSatisfy({ $0.count == $1 }) else { return nil }
    }

    /// The vector of one modality as it is.
    func part(_ name: String) -> [Float] { keys.firstIndex(of: name).map { values[$0] } ?? [] }

    /// What some of the modalities make, at unit length: of two of these the cosine is the inner product. Added in the order
    /// of their names, or side by side in the model's order. nil for a sum of no length.
    func unit(over chosen: [String]) -> [Float]? {
        let combined = isFused ? values[0] : combined(chosen)
        let squares = SimilarityKernels.squares(combined)
        return squares > 0 && squares.isFinite ? UnitVector.of(combined, squares: squares) : nil
    }

    /// The length of what some of the modalities make.
    func length(over chosen: [String]) -> Double {
        SimilarityKernels.squares(combined(chosen)).squareRoot()
    }

    private func combined(_ chosen: [String]) -> [Float] {
        if hasSets { return part(chosen.sorted().joined(separator: ",")) }
        switch space.combination {
        case .blocks: return space.modalities.filter(chosen.contains).flatMap(part)
        case .sum where chosen.count == 1: return part(chosen[0])
        case .sum:
            var sum = [Float](repeating: 0, count: space.partDimension)
            for name in names where chosen.contains(name) {
                for (index, value) in part(name).enumerated() { sum[index] += value }
            }
            return sum
        }
    }
}

/// The score that an index must find, of one pair.
package enum ExactScore {
    /// The cosine of two sides over what they share; nil if they cannot be compared. O(elements).
    package static func cosine(_ query: [IndexVector], _ sighting: [IndexVector], in space: VectorSpace) -> Float? {
        compared(query, sighting, in: space)?.score
    }

    /// The same with the modalities of the sighting that were compared, sorted.
    static func compared(
        _ query: [IndexVector], _ sighting: [IndexVector], in space: VectorSpace
    ) -> (score: Float, modalities: [String])? {
        guard let query = VectorCombination(query, in: space), let sighting = VectorCombination(sighting, in: space)
        else {
            return nil
        }
        let table = VectorTable(sighting)
        guard let comparison = table.comparison(with: query), let unit = sighting.unit(over: comparison.names) else {
            return nil
        }
        return (comparison.unit.product(with: unit), comparison.names)
    }
}
