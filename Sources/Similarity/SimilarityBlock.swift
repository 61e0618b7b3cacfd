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

    /// How many elements a vector has.
    public let dimension: Int
    private let valueWidth: Int
    private let codeWidth: Int
    private let codes: UnsafeMutablePointer<Int8>
    /// A number a row each: s, ‖v‖ and ‖r‖.
    private let scales: UnsafeMutablePointer<Float>
    private let norms: UnsafeMutablePointer<Float>
    private let residuals: UnsafeMutablePointer<Float>

    /// An empty block for vectors of `dimension` elements, 1 to `largestDimension`.
    public init(dimension: Int) {
        precondition((1...Self.largestDimension).contains(dimension), "no block holds vectors of \(dimension) elements")
        self.dimension = dimension
        valueWidth = SimilarityKernels.valueWidth(dimension)
        codeWidth = SimilarityKernels.codeWidth(dimension)
        codes = Self.allocate(Self.capacity * codeWidth)
        scales = Self.allocate(Self.capacity)
        norms = Self.allocate(Self.capacity)
        residuals = Self.allocate(Self.capacity)
    }

    deinit {
        codes.deallocate()
        for numbers in [scales, norms, residuals] { numbers.deallocate() }
    }

    private static func allocate<T>(_ count: Int) -> UnsafeMutablePointer<T> {
        UnsafeMutableRawPointer.allocate(byteCount: count * MemoryLayout<T>.stride, alignment: 64)
            .bindMemory(to: T.self, capacity: count)
    }

    /// Writes the codes of a vector of unit length, to a thousandth. O(dimension).
    public func write(_ vector: [Float], at row: Int) {
        precondition(vector.count == dimension && (0..<Self.capacity).contains(row), "a row outside its block")
        let norm = SimilarityKernels.norm(squares: SimilarityKernels.squares(vector))
        precondition(abs(norm - 1) <= 1e-3, "a vector of length \(norm)")
        let code = codes + row * codeWidth
        var squares = 0.0
        scales[row] = vector.withUnsafeBufferPointer { vector in
            vector.baseAddress.map { similarity_quantise($0, dimension, code, &squares) } ?? 0
        }
        (code + dimension).update(repeating: 0, count: codeWidth - dimension)
        norms[row] = norm
        residuals[row] = SimilarityKernels.norm(squares: squares)
    }

    /// Copies a row of another block of the same dimension. O(dimension).
    public func copy(_ row: Int, of other: SimilarityBlock, to target: Int) {
        precondition(other.dimension == dimension, "blocks of different dimensions")
        (codes + target * codeWidth).update(from: other.codes + row * codeWidth, count: codeWidth)
        scales[target] = other.scales[row]
        norms[target] = other.norms[row]
        residuals[target] = other.residuals[row]
    }

    /// Adds bounds of the float32 product with each of some rows, given by number in rising order, from the int8 codes alone,
    /// each times the row's weight. O(rows · dimension), reading one byte an element.
    ///
    /// - Parameters:
    ///   - rows: of those that were written.
    ///   - weights: not negative, one a row; nil for ones.
    ///   - bounds: as many as rows.
    public func addBounds(
        _ query: SimilarityQuery, rows numbers: [Int32], weights: [Float]?, to bounds: inout SimilarityBounds
    ) {
        precondition(query.dimension == dimension && bounds.count == numbers.count, "a query for another block")
        guard let last = numbers.last else { return }
        products(query, numbers, last, &bounds.products)
        let error = error(query)
        numbers.withUnsafeBufferPointer { numbers in
            bounds.products.withUnsafeBufferPointer { products in
                for (index, number) in numbers.enumerated() {
                    let (row, weight) = (Int(number), weights?[index] ?? 1)
                    let middle = error.scale * scales[row] * Float(products[index])
                    let width = error.by_norm * norms[row] + error.by_residual * residuals[row]
                    bounds.lower[index] += weight * (middle - width)
                    bounds.upper[index] += weight * (middle + width)
                }
            }
        }
    }

    /// The bounds that `addBounds` gives zeros for the first rows, as many as `bounds` has.
    public func setBounds(_ query: SimilarityQuery, to bounds: inout SimilarityBounds) {
        precondition(query.dimension == dimension && bounds.count <= Self.capacity, "a query for another block")
        query.codes.withUnsafeBufferPointer { q in
            bounds.products.withUnsafeMutableBufferPointer { products in
                guard let q = q.baseAddress, let target = products.baseAddress else { return }
                similarity_codes(q, codes, bounds.count, codeWidth, target)
            }
        }
        setBounds(query, bounds.products, from: 0, &bounds)
    }

    /// The same for up to four queries, in one pass over the rows. O(count · dimension), reading one byte an element for all.
    public func setBounds(_ quartet: SimilarityQuartet, count: Int, to bounds: inout [SimilarityBounds]) {
        precondition(
            quartet.queries[0].dimension == dimension && count <= Self.capacity
                && bounds.count >= quartet.queries.count,
            "queries for another block")
        var products = [Int32](repeating: 0, count: SimilarityQuartet.size * count)
        quartet.codes.withUnsafeBufferPointer { q in
            products.withUnsafeMutableBufferPointer { products in
                guard let q = q.baseAddress, let target = products.baseAddress else { return }
                similarity_codes_of_four(SimilarityKernels.instructions, q, codes, count, codeWidth, target)
            }
        }
        for (place, query) in quartet.queries.enumerated() {
            bounds[place].resize(count: count)
            setBounds(query, products, from: place * count, &bounds[place])
        }
    }

    private func setBounds(
        _ query: SimilarityQuery, _ products: [Int32], from start: Int, _ bounds: inout SimilarityBounds
    ) {
        let (count, error) = (bounds.count, error(query))
        products[start..<(start + count)].withUnsafeBufferPointer { products in
            bounds.lower.withUnsafeMutableBufferPointer { lower in
                bounds.upper.withUnsafeMutableBufferPointer { upper in
                    guard let products = products.baseAddress, let lower = lower.baseAddress,
                        let upper = upper.baseAddress
                    else { return }
                    similarity_bounds(products, scales, norms, residuals, count, error, lower, upper)
                }
            }
        }
    }

    private func error(_ query: SimilarityQuery) -> similarity_error {
        let rounding = query.residual + Float(valueWidth / 16 + 32) * 0x1p-23 * query.norm
        return similarity_error(scale: query.scale, by_norm: rounding, by_residual: query.codedNorm)
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
        resize(count: count)
        for index in 0..<count { lower[index] = 0 }
        for index in 0..<count { upper[index] = 0 }
    }

    /// Begins anew with anything for so many rows.
    public mutating func resize(count: Int) {
        self.count = count
        if lower.count >= count { return }
        lower = [Float](repeating: 0, count: count)
        upper = lower
        products = [Int32](repeating: 0, count: count)
    }

    /// Those whose upper bound is no less than a number, which `body` gives anew. O(count).
    public func forEach(atLeast first: Float, _ body: (_ index: Int, _ lower: Float, _ upper: Float) -> Float) {
        var least = first
        lower.withUnsafeBufferPointer { lower in
            upper.withUnsafeBufferPointer { upper in
                for index in 0..<count where upper[index] >= least { least = body(index, lower[index], upper[index]) }
            }
        }
    }
}
