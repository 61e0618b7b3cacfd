import Tensor

/// How a system makes one vector of several modalities'.
public enum Combination: String, Sendable {
    /// Their mean: all of them lie in one space (GraFT, Fusion-average, MixER, DMF).
    case sum
    /// Side by side in the model's order, zeros for those that are absent (UniCat, Fusion-concat, IEEE).
    case blocks
}

/// A triple's place in a model's space: a vector a modality, from which that of any set of them is made.
public struct Embedding: Sendable, Equatable {
    /// As the system gave them: their relative lengths decide what they make together.
    public var vectors: [Modality: [Float]]
    /// Of systems in which modalities give each other something: what the system makes of each smaller set, its blocks side by
    /// side in the model's order where these are blocks. Empty for others.
    public var subsets: [Set<Modality>: [Float]] = [:]
    /// What all of them make: a unit vector.
    public var values: [Float]

    private let combination: Combination

    /// The modalities it was made from, in `Modality`'s order.
    public var modalities: [Modality] { vectors.keys.sorted() }

    /// Combines vectors of one length. O(modalities · elements).
    ///
    /// - Parameters:
    ///   - vectors: at least one.
    ///   - combination: the system's.
    ///   - order: the model's modalities.
    public init(vectors: [Modality: [Float]], combination: Combination, order: [Modality]) {
        (self.vectors, self.combination) = (vectors, combination)
        let width = vectors.values.first?.count ?? 0
        switch combination {
        case .sum: values = Self.mean(vectors)
        case .blocks: values = order.flatMap { vectors[$0] ?? [Float](repeating: 0, count: width) }
        }
        values = Self.normalised(values[...])
    }

    /// Of vectors of one length, at least one.
    private static func mean(_ vectors: [Modality: [Float]]) -> [Float] {
        let scale = 1 / Float(vectors.count)
        var mean = [Float](repeating: 0, count: vectors.values.first?.count ?? 0)
        for modality in vectors.keys.sorted() {
            for (index, value) in (vectors[modality] ?? []).enumerated() { mean[index] += value * scale }
        }
        return mean
    }
}

extension Embedding {
    /// A vector a modality; or, where they give each other something, one for each set of them, named `nir+rgb`.
    ///
    /// - Parameter order: the model's modalities.
    public func named(order: [Modality]) -> [String: [Float]] {
        if subsets.isEmpty { return Dictionary(uniqueKeysWithValues: vectors.map { ($0.key.rawValue, $0.value) }) }
        let whole = combination == .sum ? Self.mean(vectors) : order.flatMap { vectors[$0] ?? [] }
        let sets = subsets.merging([Set(modalities): whole]) { $1 }
        return Dictionary(
            uniqueKeysWithValues: sets.map { ($0.key.map(\.rawValue).sorted().joined(separator: "+"), $0.value) })
    }

    /// Each row of [B, D] divided by its L2 norm (at least 1e-12).
    public static func normalised(_ rows: Tensor) -> [[Float]] { Self.rows(rows).map { normalised($0[...]) } }

    /// The rows of [B, D].
    static func rows(_ tensor: Tensor) -> [[Float]] {
        let (width, scalars) = (tensor.shape[1], tensor.scalars)
        return (0..<tensor.shape[0]).map { Array(scalars[($0 * width)..<(($0 + 1) * width)]) }
    }

    /// A vector divided by its L2 norm (at least 1e-12).
    package static func normalised(_ values: [Float]) -> [Float] { normalised(values[...]) }

    private static func normalised(_ values: ArraySlice<Float>) -> [Float] {
        let norm = Float(values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot())
        return values.map { $0 / max(norm, 1e-12) }
    }
}
