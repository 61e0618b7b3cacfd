import Foundation
import Randomness
import Similarity
import Testing

struct SimilarityBlockTests {
    @Test(
        "The float32 score of every row lies within the bounds that its int8 codes give",
        arguments: [1, 3, 64, 100, 768, 2304])
    func bounds(dimension: Int) throws {
        var generator = SplitMix64(seed: UInt64(dimension))
        let rows = hardVectors(dimension, &generator)
        let block = SimilarityBlock(dimension: dimension)
        for (index, row) in rows.enumerated() { #expect(block.write(bytes(row), at: index)) }
        var bounds = SimilarityBounds()
        for vector in rows {
            let query = SimilarityQuery(vector)
            block.bounds(query, count: rows.count, into: &bounds)
            for index in rows.indices {
                let score = block.product(query, row: index)
                #expect(bounds.lower[index] <= score && score <= bounds.upper[index])
                #expect(score == query.product(with: rows[index]))
                let exact = zip(vector, rows[index]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                #expect(abs(Double(score) - exact) < 1e-5)
            }
        }
    }

    @Test("The bounds are narrow enough to be of use: under 0.03 apart for random unit vectors")
    func narrow() {
        var generator = SplitMix64(seed: 5)
        let block = SimilarityBlock(dimension: 768)
        for row in 0..<100 { #expect(block.write(bytes(generator.unitVector(768)), at: row)) }
        var bounds = SimilarityBounds()
        block.bounds(SimilarityQuery(generator.unitVector(768)), count: 100, into: &bounds)
        #expect((0..<100).allSatisfy { bounds.upper[$0] - bounds.lower[$0] < 0.03 })
    }

    @Test(
        "A row that is no unit vector is refused",
        arguments: [[0, 0], [.nan, 1], [.infinity, 0], [3, 4]] as [[Float]])
    func refusal(values: [Float]) {
        #expect(!SimilarityBlock(dimension: 2).write(bytes(values), at: 0))
    }

    @Test("A copied row scores as the original does")
    func copying() {
        var generator = SplitMix64(seed: 6)
        let (first, second) = (SimilarityBlock(dimension: 70), SimilarityBlock(dimension: 70))
        #expect(first.write(bytes(generator.unitVector(70)), at: 9))
        second.copy(9, of: first, to: 2)
        let query = SimilarityQuery(generator.unitVector(70))
        #expect(first.product(query, row: 9) == second.product(query, row: 2))
    }

    /// Random ones, one-hot ones, constant ones, ones with a single large element, tiny and subnormal elements.
    private func hardVectors(_ dimension: Int, _ generator: inout SplitMix64) -> [[Float]] {
        var vectors = (0..<8).map { _ in generator.unitVector(dimension) }
        vectors += [0, dimension - 1].map { place in (0..<dimension).map { $0 == place ? 1 : 0 } }
        vectors.append(normalised([Float](repeating: 1, count: dimension)))
        vectors.append(normalised([Float](repeating: -1, count: dimension)))
        vectors.append(normalised((0..<dimension).map { $0 == 0 ? 1 : 0.0039 }))
        vectors.append(normalised((0..<dimension).map { $0 == 0 ? 1 : Float.leastNonzeroMagnitude }))
        vectors.append(normalised((0..<dimension).map { $0.isMultiple(of: 2) ? 1 : -0.5 / 127 }))
        return vectors
    }
}

/// Little-endian float32.
private func bytes(_ vector: [Float]) -> Data {
    vector.reduce(into: Data()) { data, value in
        withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) }
    }
}

private func normalised(_ vector: [Float]) -> [Float] {
    let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / norm }
}

extension SplitMix64 {
    fileprivate mutating func unitVector(_ dimension: Int) -> [Float] {
        normalised((0..<dimension).map { _ in normal() })
    }
}
