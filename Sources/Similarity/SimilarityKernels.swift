import CSimilarity

/// The arithmetic that `SimilarityQuery` and `SimilarityBlock` share.
///
/// BLAS is not used here on purpose: the sum that gemv forms for a row depends on where in the matrix the row lies, so
/// two equal vectors could score differently and ties would not be ties.
public enum SimilarityKernels {
    /// The largest dimension for which a query still has eight bits; see `SimilarityQuery.steps`.
    static let largestDimension = 1 << 16

    /// Which the machine has.
    static let instructions = similarity_instructions()

    /// Float32 elements in a row: whole cache lines.
    static func valueWidth(_ dimension: Int) -> Int { (dimension + 15) / 16 * 16 }

    /// Int8 elements in a row: whole cache lines.
    static func codeWidth(_ dimension: Int) -> Int { (dimension + 63) / 64 * 64 }

    static func padded<T: BinaryInteger>(_ vector: [T], to width: Int) -> [T] {
        vector + [T](repeating: 0, count: width - vector.count)
    }

    static func padded(_ vector: [Float], to width: Int) -> [Float] {
        vector + [Float](repeating: 0, count: width - vector.count)
    }

    /// The quantum with which the largest element becomes `steps`.
    static func scale(of vector: some Sequence<Float>, steps: Int) -> Float {
        vector.reduce(0) { max($0, $1.magnitude) } / Float(steps)
    }

    /// The Euclidean norm, rounded up so that a bound made of it is one.
    static func norm(_ vector: some Sequence<Double>) -> Float { norm(squares: vector.reduce(0) { $0 + $1 * $1 }) }

    /// The same of a sum of squares.
    static func norm(squares: Double) -> Float { Float(squares.squareRoot() * (1 + 1e-6)).nextUp }

    /// The sum of the squares, in an order that depends on the number of elements alone. O(elements).
    public static func squares(_ vector: [Float]) -> Double {
        vector.withUnsafeBufferPointer { vector in
            vector.baseAddress.map { similarity_squares($0, vector.count) } ?? 0
        }
    }

    /// The vector with zeros up to a whole number of cache lines.
    public static func padded(_ vector: [Float]) -> [Float] { padded(vector, to: valueWidth(vector.count)) }

    /// The float32 inner product of two that are padded alike. The order of summation depends on their length alone.
    public static func product(_ a: [Float], _ b: [Float]) -> Float {
        precondition(a.count == b.count && a.count % 16 == 0, "vectors that are not padded alike")
        return unchecked(a, b)
    }

    private static func unchecked(_ a: [Float], _ b: [Float]) -> Float {
        a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                guard let x = a.baseAddress, let y = b.baseAddress else { return 0 }
                return similarity_product(x, y, a.count)
            }
        }
    }
}
