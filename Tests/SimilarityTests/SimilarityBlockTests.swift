import CSimilarity
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
        for (index, row) in rows.enumerated() { block.write(row, at: index) }
        var bounds = SimilarityBounds()
        for vector in rows {
            let query = SimilarityQuery(vector)
            bounds.reset(count: rows.count)
            block.addBounds(query, rows: rows.indices.map(Int32.init), weights: nil, to: &bounds)
            for index in rows.indices {
                let score = query.product(with: rows[index])
                #expect(bounds.lower[index] <= score && score <= bounds.upper[index])
                let exact = zip(vector, rows[index]).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
                #expect(abs(Double(score) - exact) < 1e-5)
            }
        }
    }

    @Test("The bounds are narrow enough to be of use: under 0.03 apart for random unit vectors")
    func narrow() {
        var generator = SplitMix64(seed: 5)
        let block = SimilarityBlock(dimension: 768)
        for row in 0..<100 { block.write(generator.unitVector(768), at: row) }
        var bounds = SimilarityBounds()
        bounds.reset(count: 100)
        block.addBounds(SimilarityQuery(generator.unitVector(768)), rows: Array(0..<100), weights: nil, to: &bounds)
        #expect((0..<100).allSatisfy { bounds.upper[$0] - bounds.lower[$0] < 0.03 })
    }

    @Test("Several queries in one pass have the bounds that each has alone", arguments: [1, 64, 768], [1, 3, 4])
    func quartet(dimension: Int, count: Int) {
        var generator = SplitMix64(seed: 9)
        let block = SimilarityBlock(dimension: dimension)
        for row in 0..<37 { block.write(generator.unitVector(dimension), at: row) }
        let queries = (0..<count).map { _ in SimilarityQuery(generator.unitVector(dimension)) }
        var together = [SimilarityBounds](repeating: SimilarityBounds(), count: 4)
        block.setBounds(SimilarityQuartet(queries), count: 37, to: &together)
        for (query, bounds) in zip(queries, together) {
            var (whole, some) = (SimilarityBounds(), SimilarityBounds())
            whole.resize(count: 37)
            block.setBounds(query, to: &whole)
            some.reset(count: 37)
            block.addBounds(query, rows: Array(0..<37), weights: nil, to: &some)
            #expect(bounds.lower == whole.lower && bounds.upper == whole.upper)
            for row in 0..<37 {
                #expect(
                    abs(some.lower[row] - whole.lower[row]) < 1e-7 && abs(some.upper[row] - whole.upper[row]) < 1e-7)
            }
        }
    }

    @Test("Whatever the instructions, the sums are the same", arguments: [1, 2, 3, 37])
    func instructions(rows: Int) {
        var generator = SplitMix64(seed: 11)
        let width = 128
        let queries = (0..<(4 * width)).map { _ in Int16(generator.uniform(-8000...8000)) }
        var codes = [SIMD64<Int8>](repeating: .zero, count: rows * width / 64)
        for index in codes.indices { for lane in 0..<64 { codes[index][lane] = Int8(generator.uniform(-127...127)) } }
        let sums = (0...similarity_instructions()).map { instructions in
            var sums = [Int32](repeating: 0, count: 4 * rows)
            codes.withUnsafeBytes {
                similarity_codes_of_four(
                    instructions, queries, $0.bindMemory(to: Int8.self).baseAddress, rows, width, &sums)
            }
            return sums
        }
        for query in 0..<4 {
            for row in 0..<rows {
                let expected = (0..<width).reduce(0) { sum, j in
                    sum + Int(queries[query * width + j]) * Int(codes[(row * width + j) / 64][j % 64])
                }
                #expect(sums.allSatisfy { Int($0[query * rows + row]) == expected })
            }
        }
    }

    @Test("A copied row has the original's bounds")
    func copying() {
        var generator = SplitMix64(seed: 6)
        let (first, second) = (SimilarityBlock(dimension: 70), SimilarityBlock(dimension: 70))
        for row in 0..<10 { first.write(generator.unitVector(70), at: row) }
        second.copy(9, of: first, to: 2)
        let query = SimilarityQuery(generator.unitVector(70))
        var (one, two) = (SimilarityBounds(), SimilarityBounds())
        one.reset(count: 10)
        first.addBounds(query, rows: Array(0..<10), weights: nil, to: &one)
        two.reset(count: 1)
        second.addBounds(query, rows: [2], weights: [0.5], to: &two)
        #expect(one.lower[9] / 2 == two.lower[0] && one.upper[9] / 2 == two.upper[0])
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

private func normalised(_ vector: [Float]) -> [Float] {
    let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / norm }
}

extension SplitMix64 {
    fileprivate mutating func unitVector(_ dimension: Int) -> [Float] {
        normalised((0..<dimension).map { _ in normal() })
    }
}
