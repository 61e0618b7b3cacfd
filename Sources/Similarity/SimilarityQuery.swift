/// Up to four queries of one dimension, whose codes are multiplied in one pass over a block's.
public struct SimilarityQuartet: Sendable {
    /// How many queries a pass takes.
    public static let size = 4

    let queries: [SimilarityQuery]
    /// One after the other, with zeros for those that there are not.
    let codes: [Int16]

    /// Of one to four queries.
    public init(_ queries: [SimilarityQuery]) {
        precondition(
            (1...Self.size).contains(queries.count) && queries.allSatisfy { $0.dimension == queries[0].dimension },
            "queries that do not go together")
        self.queries = queries
        codes = SimilarityKernels.padded(queries.flatMap(\.codes), to: Self.size * queries[0].codes.count)
    }
}

/// A query vector prepared for scanning `SimilarityBlock`s: padded float32 values and 16-bit integer codes.
///
/// The query is one vector and stays in the cache, so its codes can be wider than the rows' 8 bits at no cost: the
/// multiplication widens the rows to 16 bits anyway. That all but removes the query's share of the error.
public struct SimilarityQuery: Sendable {
    /// How many elements the vector has.
    public let dimension: Int
    /// Euclidean norm.
    public let norm: Float

    let values: [Float]
    let codes: [Int16]
    /// values ≈ scale · codes.
    let scale: Float
    /// ‖scale · codes‖.
    let codedNorm: Float
    /// ‖values − scale · codes‖, rounded up.
    let residual: Float

    /// Quantises a vector of finite numbers. O(dimension).
    public init(_ vector: [Float]) {
        dimension = vector.count
        values = SimilarityKernels.padded(vector, to: SimilarityKernels.valueWidth(vector.count))
        let width = SimilarityKernels.codeWidth(vector.count)
        let scale = SimilarityKernels.scale(of: vector, steps: Self.steps(width: width))
        let codes = vector.map { scale > 0 ? Int16(($0 / scale).rounded()) : 0 }
        let errors = zip(vector, codes).map { Double($0) - Double(scale) * Double($1) }
        self.scale = scale
        self.codes = SimilarityKernels.padded(codes, to: width)
        norm = SimilarityKernels.norm(vector.map(Double.init))
        codedNorm = SimilarityKernels.norm(codes.map { Double(scale) * Double($0) })
        residual = SimilarityKernels.norm(errors)
    }

    /// The largest code with which width · |code| · 127 still fits 32 bits.
    private static func steps(width: Int) -> Int {
        min(Int(Int16.max) - 1, Int(Int32.max) / (128 * max(width, 1)) - 1)
    }

    /// The float32 inner product with a vector of the same dimension. The order of summation depends only on the dimension.
    /// O(dimension).
    public func product(with vector: [Float]) -> Float {
        precondition(vector.count == dimension, "the vectors have different dimensions")
        return SimilarityKernels.product(values, SimilarityKernels.padded(vector, to: values.count))
    }
    /// The same with a vector that `SimilarityKernels.padded` has made longer, for one that many queries are compared with.
    public func product(withPadded vector: [Float]) -> Float { SimilarityKernels.product(values, vector) }
}
