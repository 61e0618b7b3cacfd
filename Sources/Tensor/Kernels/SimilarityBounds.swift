/// What the first pass over a block says about its rows: lower ≤ float32 product ≤ upper. Reused from block to block.
public struct SimilarityBounds: Sendable {
    /// One number a row.
    public internal(set) var lower: [Float] = []
    /// One number a row.
    public internal(set) var upper: [Float] = []
    var products: [Int32] = []

    /// Empty bounds.
    public init() {}

    mutating func prepare(count: Int) {
        guard lower.count < count else { return }
        lower = [Float](repeating: 0, count: count)
        upper = lower
        products = [Int32](repeating: 0, count: count)
    }
}
