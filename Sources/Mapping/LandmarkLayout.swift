import Randomness

/// The first two principal components of vectors of which only scores are known: classical scaling of the scores with a few of them,
/// the landmarks (de Silva and Tenenbaum, 2004). Of unit vectors that are all compared alike it is their PCA, if all are landmarks.
package struct LandmarkLayout: Sendable {
    private let count: Int
    /// Of landmarks, the mean of a column.
    private let means: [Double]
    private let mean: Double
    private let axes: [(vector: [Double], value: Double)]

    /// - Parameter scores: of each landmark with each, a row each.
    package init(_ scores: [[Float]]) {
        count = scores.count
        let (rows, n) = (scores.map { $0.map(Double.init) }, Double(max(scores.count, 1)))
        means = rows.indices.map { column in rows.reduce(0) { $0 + $1[column] } / n }
        mean = means.reduce(0, +) / n
        let (columns, all) = (means, mean)
        let centred = rows.map { row in
            let own = row.reduce(0, +) / n
            return row.indices.map { row[$0] - own - columns[$0] + all }
        }
        axes = Self.principal(centred)
    }

    /// Where a vector is, by its scores with the landmarks.
    package func position(_ scores: [Float]) -> SIMD2<Double> {
        let own = scores.reduce(0) { $0 + Double($1) } / Double(max(count, 1))
        var position = SIMD2<Double>()
        for (axis, (vector, value)) in axes.enumerated() where value > 1e-9 {
            let sum = vector.indices.reduce(0.0) { sum, index in
                sum + vector[index] * (Double(scores[index]) - own - means[index] + mean)
            }
            position[axis] = sum / value.squareRoot()
        }
        return position
    }

    /// The two largest eigenvalues of a symmetric matrix and their vectors, by orthogonal iteration from fixed numbers.
    private static func principal(_ matrix: [[Double]]) -> [(vector: [Double], value: Double)] {
        var generator = SplitMix64(seed: 1)
        var vectors = (0..<2).map { _ in matrix.map { _ in Double(generator.normal()) } }
        var values = [0.0, 0.0]
        for _ in 0..<100 {
            for axis in 0...1 {
                var image = matrix.map { row in zip(row, vectors[axis]).reduce(0) { $0 + $1.0 * $1.1 } }
                for earlier in vectors[..<axis] {
                    let share = zip(image, earlier).reduce(0) { $0 + $1.0 * $1.1 }
                    for index in image.indices { image[index] -= share * earlier[index] }
                }
                let norm = image.reduce(0) { $0 + $1 * $1 }.squareRoot()
                values[axis] = norm
                vectors[axis] = norm > 0 ? image.map { $0 / norm } : image
            }
        }
        return Array(zip(vectors, values)).map { (vector: $0, value: $1) }
    }
}
