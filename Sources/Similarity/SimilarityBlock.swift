import CSimilarity

/// Room for the int8 codes of a fixed number of unit vectors of one dimension, each row 64-byte aligned and padded with zeros
/// to a whole cache line.
///
/// **The bound.** A row v is kept as codes v̂ with a scale s, so v = s·v̂ + r; a query likewise, q = t·q̂ + e. Then
///
///     q·v − t·s·(q̂·v̂) = e·v + (t·q̂)·r,   so by Cauchy and Schwarz   |q·v − t·s·(q̂·v̂)| ≤ ‖e‖‖v‖ + ‖t·q̂‖‖r‖.
///
/// ‖v‖ and ‖r‖ are computed once for each row. What scores a row in the end is not q·v but its float32 sum, which in
/// sixteen lanes differs by at most n·2⁻²⁴·‖q‖‖v‖ with n = width/16 + 17 roundings on the longest path (Higham,
/// *Accuracy and Stability of Numerical Algorithms*, §3.1); twice that and n = width/16 + 32 also cover the rounding of
/// the bound itself. So the float32 score of a row always lies between the two numbers that `bounds` gives.
///
/// Unchecked: a block has one writer, which fills a row before it publishes, under a lock, that the row exists, and
/// never writes it again. Readers look only at rows published to them.
public final class SimilarityBlock: @unchecked Sendable {
    /// How many rows a block has room for. Rows never written cost no memory beyond their addresses.
    public static let capacity = 1024
    /// The largest dimension a block can hold.
    public static let largestDimension = SimilarityKernels.largestDimension

    private struct Row {
        var scale: Float
        var norm: Float
        var residual: Float
    }

    /// How many elements a vector has.
    public let dimension: Int
    private let valueWidth: Int
    private let codeWidth: Int
    private let codes: UnsafeMutablePointer<Int8>
    private let rows: UnsafeMutablePointer<Row>

    /// An empty block for vectors of `dimension` elements, 1 to `largestDimension`.
    public init(dimension: Int) {
        precondition((1...Self.largestDimension).contains(dimension), "no block holds vectors of \(dimension) elements")
        self.dimension = dimension
        valueWidth = SimilarityKernels.valueWidth(dimension)
        codeWidth = SimilarityKernels.codeWidth(dimension)
        codes = Self.allocate(Self.capacity * codeWidth)
        rows = Self.allocate(Self.capacity)
    }

    deinit {
        codes.deallocate()
        rows.deallocate()
    }

    private static func allocate<T>(_ count: Int) -> UnsafeMutablePointer<T> {
        UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<T>.stride, alignment: 64)
            .bindMemory(to: T.self, capacity: count)
    }

    /// Writes the codes of a vector of unit length, to a thousandth. O(dimension).
    public func write(_ vector: [Float], at row: Int) {
        precondition(vector.count == dimension && (0..<Self.capacity).contains(row), "a row outside its block")
        let norm = SimilarityKernels.norm(vector.lazy.map(Double.init))
        precondition(abs(norm - 1) <= 1e-3, "a vector of length \(norm)")
        vector.withUnsafeBufferPointer { quantise($0, norm: norm, row) }
    }

    private func quantise(_ vector: UnsafeBufferPointer<Float>, norm: Float, _ row: Int) {
        let code = codes + row * codeWidth
        let scale = SimilarityKernels.scale(of: vector, steps: 127)
        for i in 0..<dimension { code[i] = Int8((vector[i] / scale).rounded()) }
        (code + dimension).update(repeating: 0, count: codeWidth - dimension)
        let errors = (0..<dimension).lazy.map { Double(vector[$0]) - Double(scale) * Double(code[$0]) }
        rows[row] = Row(scale: scale, norm: norm, residual: SimilarityKernels.norm(errors))
    }

    /// Copies a row of another block of the same dimension. O(dimension).
    public func copy(_ row: Int, of other: SimilarityBlock, to target: Int) {
        precondition(other.dimension == dimension, "blocks of different dimensions")
        (codes + target * codeWidth).update(from: other.codes + row * codeWidth, count: codeWidth)
        rows[target] = other.rows[row]
    }

    /// Adds bounds of the float32 product with each of some rows, given by number in rising order, from the int8 codes alone,
    /// each times the row's weight. O(rows · dimension), reading one byte an element.
    ///
    /// - Parameters:
    ///   - rows: of those that were written.
    ///   - weights: not negative, one a row; nil for ones.
    ///   - known: what `products` gave for this query, if `rows` are all of the first.
    ///   - bounds: as many as rows.
    public func addBounds(
        _ query: SimilarityQuery, rows numbers: [Int32], weights: [Float]?, known: ArraySlice<Int32>? = nil,
        to bounds: inout SimilarityBounds
    ) {
        precondition(query.dimension == dimension && bounds.count == numbers.count, "a query for another block")
        guard let last = numbers.last else { return }
        if let known {
            precondition(known.count == numbers.count, "products of other rows")
            for (index, product) in known.enumerated() { bounds.products[index] = product }
        } else {
            products(query, numbers, last, &bounds.products)
        }
        let rounding = query.residual + Float(valueWidth / 16 + 32) * 0x1p-23 * query.norm
        let (scale, codedNorm) = (query.scale, query.codedNorm)
        numbers.withUnsafeBufferPointer { numbers in
            bounds.products.withUnsafeBufferPointer { products in
                for (index, number) in numbers.enumerated() {
                    let row = rows[Int(number)]
                    let weight = weights?[index] ?? 1
                    let middle = scale * row.scale * Float(products[index])
                    let error = rounding * row.norm + codedNorm * row.residual
                    bounds.lower[index] += weight * (middle - error)
                    bounds.upper[index] += weight * (middle + error)
                }
            }
        }
    }

    /// The products of codes of four queries with the first `count` rows, a query after the other, in one pass over the rows.
    /// O(count · dimension), reading one byte an element for all four.
    public func products(_ quartet: SimilarityQuartet, count: Int, into products: inout [Int32]) {
        precondition(quartet.dimension == dimension && count <= Self.capacity, "queries for another block")
        let size = SimilarityQuartet.size * count
        if products.count < size { products = [Int32](repeating: 0, count: size) }
        quartet.codes.withUnsafeBufferPointer { q in
            products.withUnsafeMutableBufferPointer { products in
                guard let q = q.baseAddress, let target = products.baseAddress else { return }
                similarity_codes_of_four(q, codes, count, codeWidth, target)
            }
        }
    }

    private func products(_ query: SimilarityQuery, _ numbers: [Int32], _ last: Int32, _ products: inout [Int32]) {
        precondition(last < Self.capacity, "a row outside its block")
        query.codes.withUnsafeBufferPointer { q in
            products.withUnsafeMutableBufferPointer { products in
                guard let q = q.baseAddress, let target = products.baseAddress else { return }
                if numbers.count == Int(last) + 1 {
                    similarity_codes(q, codes, numbers.count, codeWidth, target)
                } else {
                    for (index, number) in numbers.enumerated() {
                        similarity_codes(q, codes + Int(number) * codeWidth, 1, codeWidth, target + index)
                    }
                }
            }
        }
    }
}

/// What the first pass over a block says about its rows: lower ≤ float32 product ≤ upper. Reused from block to block.
public struct SimilarityBounds: Sendable {
    /// How many there are.
    public private(set) var count = 0
    /// One number a row, and perhaps more.
    public var lower: [Float] = []
    /// One number a row, and perhaps more.
    public var upper: [Float] = []
    var products: [Int32] = []

    /// Empty bounds.
    public init() {}

    /// Begins anew with zeros for so many rows.
    public mutating func reset(count: Int) {
        self.count = count
        if lower.count < count {
            lower = [Float](repeating: 0, count: count)
            upper = lower
            products = [Int32](repeating: 0, count: count)
            return
        }
        for index in 0..<count { lower[index] = 0 }
        for index in 0..<count { upper[index] = 0 }
    }
}
